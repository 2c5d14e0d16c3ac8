import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cutsOf, type DecodedResponse, decodeResponse, LIMITS, toBytes, UNFINISHED } from './decode.ts';

const reply = (status: string, ...lines: string[]) =>
  `HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

interface AcceptedCase {
  readonly message: string;
  readonly why: string;
  readonly toHead?: boolean;
  readonly means: Partial<DecodedResponse>;
}

const ACCEPTED: readonly AcceptedCase[] = [
  {
    message: 'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n',
    why: 'an ordinary reply',
    means: {
      status: 200,
      reason: 'OK',
      versionMinor: 1,
      framing: 'LENGTH',
      contentLength: 5,
      persistent: true,
      namesHopByHopFields: false,
      fields: [
        ['Server', 'x'],
        ['Content-Length', '5'],
      ],
    },
  },
  {
    message: reply('200 OK', 'Transfer-Encoding: Chunked'),
    why: 'chunked',
    means: { framing: 'CHUNKED', contentLength: -1, persistent: true },
  },
  {
    message: reply('200 OK', 'Content-Length: 0'),
    why: 'a length of 0 is no body, but is told',
    means: { framing: 'NONE', contentLength: 0, persistent: true },
  },
  {
    message: reply('200 OK'),
    why: 'no framing at all: everything up to the end of the connection (RFC 9112 6.3)',
    means: { framing: 'UNTIL_CLOSE', contentLength: -1, persistent: false },
  },
  {
    message: reply('200 OK', 'Connection: keep-alive'),
    why: 'which cannot persist whatever it says',
    means: { framing: 'UNTIL_CLOSE', persistent: false },
  },
  {
    message: reply('200 OK', 'Content-Length: 5'),
    toHead: true,
    why: 'a reply to HEAD has no body; its length is what GET would give',
    means: { framing: 'NONE', contentLength: 5, persistent: true },
  },
  {
    message: reply('200 OK', 'Transfer-Encoding: chunked'),
    toHead: true,
    why: 'a reply to HEAD has no body, chunked or not',
    means: { framing: 'NONE', persistent: true },
  },
  {
    message: reply('200 OK'),
    toHead: true,
    why: 'nor without any framing',
    means: { framing: 'NONE', persistent: true },
  },
  {
    message: reply('204 No Content', 'Content-Length: 5'),
    why: '204 has no body whatever it says',
    means: { framing: 'NONE' },
  },
  {
    message: reply('304 Not Modified', 'Content-Length: 5'),
    why: '304 has no body; its length is that of the representation',
    means: { framing: 'NONE', contentLength: 5, persistent: true },
  },
  { message: reply('100 Continue'), why: 'an interim reply has no body', means: { status: 100, framing: 'NONE' } },
  {
    message: reply('103 Early Hints', 'Link: </a>', 'Transfer-Encoding: chunked'),
    why: 'an interim reply has no body whatever it says',
    means: { status: 103, framing: 'NONE' },
  },
  { message: reply('200 '), why: 'an empty reason', means: { status: 200, reason: '' } },
  { message: reply('200'), why: 'an empty reason without its blank', means: { status: 200, reason: '' } },
  {
    message: reply('599 \tOdd \xe9 reason\t'),
    why: 'any printable reason',
    means: { status: 599, reason: '\tOdd \xe9 reason\t' },
  },
  { message: reply('299 X'), why: 'any status of the five classes', means: { status: 299 } },
  {
    message: 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n',
    why: 'HTTP/1.0 does not persist',
    means: { versionMinor: 0, framing: 'LENGTH', persistent: false },
  },
  {
    message: 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n',
    why: 'unless it says so',
    means: { persistent: true },
  },
  {
    message: reply('200 OK', 'Content-Length: 1', 'Connection: close\xa0'),
    why: 'a no-break space is no blank: this is another option',
    means: { persistent: true, namesHopByHopFields: true },
  },
  {
    message: reply('200 OK', 'Content-Length: 1', 'Connection: X-Internal, close'),
    why: 'close and a field named',
    means: { persistent: false, namesHopByHopFields: true },
  },
];

interface RefusedCase {
  readonly message: string;
  readonly why: string;
  readonly toHead?: boolean;
}

const REFUSED: readonly RefusedCase[] = [
  { message: reply('200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked'), why: 'two framings' },
  {
    message: reply('200 OK', 'Transfer-Encoding: chunked', 'Content-Length: 5'),
    why: 'two framings, the other way round',
  },
  { message: reply('200 OK', 'Content-Length: 5', 'Content-Length: 5'), why: 'two lengths, though equal' },
  {
    message: reply('200 OK', 'Content-Length: 5', 'Content-Length: 6'),
    toHead: true,
    why: 'two lengths, even to HEAD',
  },
  { message: reply('304 X', 'Content-Length: 5', 'Content-Length: 6'), why: 'two lengths, even in 304' },
  { message: reply('200 OK', 'Content-Length: 5, 5'), why: 'a list of lengths' },
  { message: reply('200 OK', 'Content-Length: +5'), why: 'a sign' },
  { message: reply('200 OK', 'Content-Length: 0x5'), why: 'not decimal' },
  { message: reply('200 OK', 'Content-Length:'), why: 'no length at all' },
  { message: reply('200 OK', 'Content-Length: 9007199254740992'), why: 'more than can be counted exactly' },
  { message: reply('200 OK', 'Transfer-Encoding: gzip, chunked'), why: 'a coding that we do not have' },
  { message: reply('200 OK', 'Transfer-Encoding: identity'), why: 'a coding that is none any more' },
  { message: reply('200 OK', 'Transfer-Encoding: chunked, chunked'), why: 'chunked twice' },
  {
    message: reply('200 OK', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    why: 'chunked in two fields',
  },
  { message: reply('200 OK', 'Transfer-Encoding: chunked\t'), why: 'a tab, which llhttp takes for a part of its name' },
  { message: reply('200 OK', 'Transfer-Encoding: chunked \t '), why: 'the same between blanks' },
  { message: reply('200 OK', 'Transfer-Encoding: \x0bchunked'), why: 'a control byte before the coding' },
  { message: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', why: 'HTTP/1.0 has no transfer codings' },
  { message: 'HTTP/2.0 200 OK\r\n\r\n', why: 'another major version' },
  { message: 'HTTP/1.2 200 OK\r\n\r\n', why: 'a minor version that does not exist' },
  { message: 'http/1.1 200 OK\r\n\r\n', why: 'lower case' },
  { message: 'ICY 200 OK\r\n\r\n', why: 'another protocol' },
  { message: 'HTTP/1.1  200 OK\r\n\r\n', why: 'two blanks before the status' },
  { message: reply('20 OK'), why: 'a status of two digits' },
  { message: reply('2000 OK'), why: 'a status of four digits' },
  { message: reply('+20 OK'), why: 'a sign in the status' },
  { message: reply('2 0 OK'), why: 'a blank in the status' },
  { message: reply('40d OK'), why: 'a letter in the status' },
  { message: reply('ddd OK'), why: 'letters for a status' },
  { message: 'HTTP/1.x 200 OK\r\n\r\n', why: 'a letter for the minor version' },
  { message: reply('099 Low'), why: 'a status below 100' },
  { message: reply('600 High'), why: 'a status above 599' },
  { message: reply('999 High'), why: 'a status far above 599' },
  { message: reply('200OK'), why: 'no blank after the status' },
  { message: reply('200\tOK'), why: 'a tab after the status' },
  { message: reply('200 O\x00K'), why: 'NUL in the reason' },
  { message: reply('200 O\x7fK'), why: 'DEL in the reason' },
  { message: reply('200 O\rK'), why: 'a bare CR in the reason' },
  { message: 'HTTP/1.1 200 OK\nA: b\n\n', why: 'bare LF' },
  { message: 'HTTP/1.1 200 OK\r\nA: b\n\r\n', why: 'bare LF after a field' },
  { message: 'HTTP/1.1 200 OK\r\nA: b\n\nB: c\r\n\r\n', why: 'two bare LF where CRLF belongs' },
  { message: 'HTTP/1.1 200 OK\n\nA: b\r\n\r\n', why: 'two bare LF after the reason' },
  { message: 'HTTP/1.1 200\nA: b\n\n', why: 'bare LF after the status' },
  { message: reply('200 OK', 'A: b', ' c'), why: 'a folded line (obs-fold)' },
  { message: reply('200 OK', 'A : b'), why: 'a blank before the colon' },
  { message: reply('200 OK', 'A'), why: 'no colon' },
  { message: reply('200 OK', ': b'), why: 'an empty name' },
  { message: reply('200 OK', 'A: \x00'), why: 'NUL in a value' },
  { message: `\r\n${reply('200 OK')}`, why: 'an empty line before the status line' },
  { message: reply('200 OK', `A: ${'a'.repeat(LIMITS.maxHeadBytes)}`), why: 'a head that is too large' },
  { message: `HTTP/1.1 200 ${'a'.repeat(LIMITS.maxHeadBytes)}`, why: 'a reason without end' },
  { message: `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(LIMITS.maxHeadBytes)}`, why: 'a value without end' },
  { message: reply('200 OK', ...Array.from({ length: 101 }, () => 'A: b')), why: 'too many fields' },
];

const isRead = (got: ReturnType<typeof decodeResponse>): got is DecodedResponse =>
  typeof got === 'object' && 'status' in got;

const shown = (message: string) => JSON.stringify(message.length > 60 ? `${message.slice(0, 60)}...` : message);
const MALFORMED = { refused: 'upstream_malformed' };

describe('a reply head is read', () => {
  for (const { message, why, toHead = false, means } of ACCEPTED) {
    test(`${why}: ${shown(message)}`, () => {
      const got = decodeResponse(toBytes(message), { toHead });
      assert.ok(isRead(got), JSON.stringify(got));
      assert.equal(got.headBytes, message.length);
      for (const [name, value] of Object.entries(means)) {
        assert.deepEqual(got[name as keyof DecodedResponse], value, name);
      }
    });
  }

  test('wherever it is cut: every part of it is unfinished, and the whole is the same whatever follows', () => {
    for (const { message, toHead = false } of ACCEPTED) {
      const bytes = toBytes(message);
      for (const [part] of cutsOf(bytes)) assert.equal(decodeResponse(part, { toHead }), UNFINISHED, shown(message));
      assert.deepEqual(
        decodeResponse(Buffer.concat([bytes, toBytes('body')]), { toHead }),
        decodeResponse(bytes, { toHead }),
      );
    }
  });

  test('up to the limits', () => {
    const message = toBytes(reply('200 OK', 'A: b'));
    assert.ok(isRead(decodeResponse(message, { maxHeadBytes: message.length, maxFields: 1 })));
    assert.deepEqual(decodeResponse(message, { maxHeadBytes: message.length - 1 }), MALFORMED);
    assert.deepEqual(decodeResponse(message, { maxFields: 0 }), MALFORMED);
    const followed = Buffer.concat([message, Buffer.alloc(1000)]);
    assert.ok(isRead(decodeResponse(followed, { maxHeadBytes: message.length })), 'a body counts for nothing');
  });
});

describe('a reply head is refused as malformed by the upstream', () => {
  for (const { message, why, toHead = false } of REFUSED) {
    test(`${why}: ${shown(message)}`, () => {
      assert.deepEqual(decodeResponse(toBytes(message), { toHead }), MALFORMED);
    });
  }

  test('wherever it is cut: a part is unfinished or refused, and never read', () => {
    for (const { message, toHead = false } of REFUSED) {
      let refused = false;
      for (const [part] of cutsOf(toBytes(message).subarray(0, 600))) {
        const got = decodeResponse(part, { toHead });
        if (got !== UNFINISHED) assert.deepEqual(got, MALFORMED, `${shown(message)} cut at ${part.length}`);
        else assert.ok(!refused, `${shown(message)}: unfinished after a refusal`);
        refused = got !== UNFINISHED;
      }
    }
  });
});
