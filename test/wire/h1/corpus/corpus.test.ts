import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { agreeOnReply, agreeOnRequests } from '../agreement.ts';
import { toBytes } from '../decode.ts';
import { readReply, readRequests } from '../our-reading.ts';
import { VALID_REPLIES } from './replies.ts';
import { VALID_REQUESTS } from './requests.ts';

describe('valid requests are read to their last byte, as node:http reads them', () => {
  for (const { why, text, count } of VALID_REQUESTS) {
    test(why, async () => {
      const { requests, bytes } = readRequests(toBytes(text), 0.5);
      assert.deepEqual([requests.length, bytes], [count, text.length]);
      assert.equal(await agreeOnRequests(toBytes(text), 0.5), 'agreed');
    });
  }
});

describe('valid replies are read to their last byte, as node:http reads them', () => {
  for (const { why, method, text } of VALID_REPLIES) {
    test(`${method}: ${why}`, async () => {
      assert.equal(readReply(method, toBytes(text), 0.5)?.bytes, text.length);
      assert.equal(await agreeOnReply(method, toBytes(text), 0.5), 'agreed');
    });
  }
});
