import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { describe, test } from 'node:test';
import { parseAuthority } from '../../../../src/http/authority.ts';
import { RequestTarget } from '../../../../src/http/target.ts';
import { agreeOnRequests } from '../agreement.ts';
import { type DecodedRequest, decodeRequest, toBytes } from '../decode.ts';
import { ordinaryHeads } from './ordinary-heads.ts';

const HEADS = ordinaryHeads();

/** The shortest body that a head asks for. */
function bodyOf({ framing, contentLength }: DecodedRequest): string {
  return framing === 'CHUNKED' ? '0\r\n\r\n' : 'x'.repeat(contentLength);
}

describe('what ordinary clients send is accepted, and read as node:http reads it', () => {
  for (const { name, text } of HEADS) {
    test(name, async () => {
      const head = decodeRequest(toBytes(text));
      assert.ok(typeof head === 'object' && 'method' in head, JSON.stringify(head));
      assert.equal(head.headBytes, text.length);
      const written = text.split('\r\n').slice(1, -2);
      assert.deepEqual(
        head.fields,
        written.map((line) => [
          line.split(':', 1)[0],
          line.slice(line.indexOf(':') + 1).replace(/^[ \t]+|[ \t]+$/g, ''),
        ]),
      );
      new RequestTarget().parse(head.target, head.method, true);
      if (head.host !== null) parseAuthority(head.host);
      // A method that node:http has no number for is refused by it: the rest has to mean the same.
      const known = METHODS.includes(head.method) ? text : text.replace(head.method, 'GET');
      assert.equal(await agreeOnRequests(toBytes(known + bodyOf(head)), 0.5), 'agreed');
    });
  }
});

test('there are at least 200 of them, no two alike', () => {
  assert.ok(HEADS.length >= 200, `only ${HEADS.length}`);
  for (const what of ['name', 'text'] as const) {
    assert.equal(new Set(HEADS.map((head) => head[what])).size, HEADS.length, `two have the same ${what}`);
  }
});
