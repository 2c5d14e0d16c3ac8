import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckReply } from '../../src/control/health/check-reply.ts';

const KIB = 1024;
const OK = [{ min: 200, max: 200 }];
const chunked = (...chunks: readonly string[]) =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks
    .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    .join('')}0\r\n\r\n`;
const withLength = (body: string, status = 200) =>
  `HTTP/1.1 ${status} x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const untilClose = (body: string) => `HTTP/1.1 200 OK\r\n\r\n${body}`;
const after = (text: string, bytes: number) => 'x'.repeat(bytes - text.length) + text;

interface Case {
  readonly why: string;
  readonly reply: string;
  /** Closes the connection after it. */
  readonly closes?: boolean;
  readonly status?: readonly { readonly min: number; readonly max: number }[];
  readonly body?: string;
  /** Null: it passes; undefined: nothing can be said yet. */
  readonly failure: string | null | undefined;
}

const LACKS = 'the body lacks the expected text';
const CASES: readonly Case[] = [
  { why: 'the wanted status', reply: withLength('ok'), failure: null },
  { why: 'another status', reply: withLength('', 503), failure: 'status 503' },
  { why: 'a redirect', reply: 'HTTP/1.1 302 x\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n', failure: 'status 302' },
  { why: 'another status of the class', reply: withLength('', 299), failure: null, status: [{ min: 200, max: 299 }] },
  {
    why: 'a status next to the class',
    reply: withLength('', 300),
    failure: 'status 300',
    status: [{ min: 200, max: 299 }],
  },
  { why: 'one of a list', reply: withLength('', 503), failure: null, status: [...OK, { min: 500, max: 599 }] },
  { why: 'interim replies', reply: `HTTP/1.1 103 x\r\nA: b\r\n\r\n${withLength('')}`, failure: null },
  { why: 'no body', reply: 'HTTP/1.1 204 x\r\n\r\n', failure: null, status: [{ min: 204, max: 204 }] },
  { why: 'no body where one is wanted', reply: withLength(''), body: 'up', failure: LACKS },
  { why: 'the text', reply: withLength('all is up'), body: 'is up', failure: null },
  { why: 'the text across two chunks', reply: chunked('all is', ' up and well'), body: 'is up', failure: null },
  { why: 'the text in chunks of one byte', reply: chunked(...'it is up'), body: 'is up', failure: null },
  { why: 'a text that only begins', reply: chunked('all is', ' u'), body: 'is up', failure: LACKS },
  { why: 'the text, and a status that is not wanted', reply: withLength('up', 500), body: 'up', failure: 'status 500' },
  { why: 'a body that may go on', reply: untilClose('all is'), body: 'is up', failure: undefined },
  {
    why: 'a body that ends with the connection',
    reply: untilClose('all is'),
    closes: true,
    body: 'is up',
    failure: LACKS,
  },
  { why: 'the text as the last of 64 KiB', reply: withLength(after('up', 64 * KIB)), body: 'up', failure: null },
  { why: 'the text a byte too late', reply: withLength(after('up', 64 * KIB + 1)), body: 'up', failure: LACKS },
  { why: 'the text too late in chunks', reply: chunked(after('u', 64 * KIB), 'p'), body: 'up', failure: LACKS },
  { why: 'an unfinished head', reply: 'HTTP/1.1 200 OK\r\nA: b\r\n', closes: true, failure: undefined },
];

function read({ reply, closes, status = OK, body }: Case, step: number): CheckReply {
  const decoded = new CheckReply({ status, body: body === undefined ? null : Buffer.from(body) });
  const bytes = Buffer.from(reply, 'latin1');
  const lent = Buffer.alloc(step);
  for (let at = 0; at < bytes.length && !decoded.excessive; at += step) {
    const length = bytes.copy(lent, 0, at, at + step);
    assert.equal(decoded.take(lent, 0, length), length, 'takes all of it');
    lent.fill(0);
  }
  if (closes) decoded.end();
  return decoded;
}

for (const each of CASES) {
  const steps = each.reply.length > 10 * KIB ? [each.reply.length, 16 * KIB, 4093] : [each.reply.length, 1, 2, 3, 7];
  test(`a reply with ${each.why}, cut in any way, ${verdict(each.failure)}`, () => {
    for (const step of steps) {
      const reply = read(each, step);
      assert.equal(reply.judged, each.failure !== undefined, `in steps of ${step}`);
      assert.equal(reply.failure, each.failure ?? null, `in steps of ${step}`);
    }
  });
}

function verdict(failure: string | null | undefined): string {
  if (failure === undefined) return 'says nothing yet';
  return failure === null ? 'passes' : 'fails';
}

for (const { why, text } of [
  { why: 'no HTTP', text: 'SSH-2.0-OpenSSH_9.9\r\n' },
  { why: 'a head without end', text: `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(17 * KIB)}` },
  { why: 'another protocol', text: 'HTTP/1.1 101 x\r\nUpgrade: x\r\n\r\n' },
  { why: 'interim replies without end', text: 'HTTP/1.1 103 x\r\n\r\n'.repeat(33) },
]) {
  test(`${why} is malformed`, () => {
    assert.throws(() => read({ why, reply: text, failure: null }, 512), { code: 'upstream_malformed' });
  });
}

test('bytes after the reply are left over, and one that asks to close does not persist', () => {
  const reply = new CheckReply({ status: OK, body: null });
  const bytes = Buffer.from(`${withLength('ok')}more`);
  assert.equal(reply.take(bytes.subarray(0, 10), 0, 10), 10);
  assert.equal(reply.take(bytes, 10, bytes.length), bytes.length - 4);
  assert.deepEqual([reply.complete, reply.persistent], [true, true]);
  const last = new CheckReply({ status: OK, body: null });
  last.take(Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'), 0, 57);
  assert.equal(last.persistent, false);
});
