import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FRAMING } from '../../../src/http/framing.ts';
import { BodyDecoder } from '../../../src/wire/h1/body-decoder.ts';
import { cutsOf, decodeBody, type FieldLine, piecesOf, toBytes } from './decode.ts';

interface BodyCase {
  readonly text: string;
  readonly why: string;
  readonly content: string;
  readonly trailers?: readonly FieldLine[];
}

const CHUNKED: readonly BodyCase[] = [
  { text: '0\r\n\r\n', why: 'no content', content: '' },
  { text: '5\r\nhello\r\n0\r\n\r\n', why: 'one chunk', content: 'hello' },
  { text: '1\r\na\r\n2\r\nbc\r\nA\r\n0123456789\r\n0\r\n\r\n', why: 'several chunks', content: 'abc0123456789' },
  { text: 'a\r\n0123456789\r\n000\r\n\r\n', why: 'sizes in lower case, and several zeros', content: '0123456789' },
  { text: '000000000000005\r\nhello\r\n0\r\n\r\n', why: 'leading zeros, up to 15 digits', content: 'hello' },
  { text: '7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n', why: 'content that looks like the end', content: '\r\n0\r\n\r\n' },
  { text: '2;a=b\r\nhi\r\n0;c\r\n\r\n', why: 'extensions are dropped', content: 'hi' },
  { text: '2;a="x;y\\"\xff"\r\nhi\r\n0\r\n\r\n', why: 'a quoted extension', content: 'hi' },
  { text: '2 \t;a\r\nhi\r\n0\r\n\r\n', why: 'blanks before an extension (BWS, RFC 9112 7.1.1)', content: 'hi' },
  { text: '2;\r\nhi\r\n0\r\n\r\n', why: 'an extension without a name', content: 'hi' },
  { text: `2;${'x'.repeat(1024)}\r\nhi\r\n0\r\n\r\n`, why: 'a long extension', content: 'hi' },
  {
    text: '2\r\nhi\r\n0\r\nX-Sum:  1 \r\nX-Other:\r\n\r\n',
    why: 'trailers',
    content: 'hi',
    trailers: [
      ['X-Sum', '1'],
      ['X-Other', ''],
    ],
  },
];

const REFUSED: readonly { readonly text: string; readonly why: string; readonly content?: string }[] = [
  { text: '\r\n', why: 'no size' },
  { text: ';a\r\n', why: 'an extension without a size' },
  { text: ' 5\r\nhello', why: 'a blank before the size' },
  { text: '5 \r\nhello', why: 'a blank after the size' },
  { text: '5\t\r\nhello', why: 'a tab after the size' },
  { text: '5 5\r\n', why: 'a blank in the size' },
  { text: '+5\r\nhello', why: 'a sign' },
  { text: '-5\r\nhello', why: 'a size below 0' },
  { text: '0x5\r\nhello', why: 'a prefix' },
  { text: '5h\r\nhello', why: 'not a hexadecimal digit' },
  { text: '5_0\r\n', why: 'an underscore' },
  { text: '5,0\r\n', why: 'a comma' },
  { text: '5.0\r\n', why: 'a point' },
  { text: '"5"\r\n', why: 'quotes' },
  { text: '\xb25\r\n', why: 'not ASCII' },
  { text: '\x005\r\n', why: 'NUL' },
  { text: 'G\r\n', why: 'the letter after F' },
  { text: '`\r\n', why: 'the character before a' },
  { text: '@\r\n', why: 'the character before A' },
  { text: '/\r\n', why: 'the character before 0' },
  { text: ':\r\n', why: 'the character after 9' },
  { text: '20000000000000\r\n', why: '2^53, more than can be counted exactly' },
  { text: 'fffffffffffffff\r\n', why: 'fifteen digits' },
  { text: '10000000000000005\r\nhello', why: '2^64 + 5 would wrap round to 5' },
  { text: '0000000000000005\r\nhello', why: 'more digits than any size needs' },
  { text: '5\nhello', why: 'bare LF after the size' },
  { text: '5\rhello', why: 'bare CR after the size' },
  { text: '5\r\rhello', why: 'CR twice' },
  { text: '5;a\nhello', why: 'bare LF after an extension' },
  { text: '5;a\x00\r\nhello', why: 'NUL in an extension' },
  { text: '5;a\x7f\r\nhello', why: 'DEL in an extension' },
  { text: '5;a\rb\r\nhello', why: 'bare CR in an extension' },
  { text: `5;${'x'.repeat(16_385)}\r\nhello`, why: 'extensions that are too long' },
  { text: `5${' '.repeat(16_385)};x\r\nhello`, why: 'blanks that are too many' },
  { text: '5\r\nhello6', why: 'a chunk longer than its size', content: 'hello' },
  { text: '5\r\nhello\n', why: 'bare LF after a chunk', content: 'hello' },
  { text: '5\r\nhello\r0', why: 'bare CR after a chunk', content: 'hello' },
  { text: '0\r\n\n', why: 'bare LF at the end' },
  { text: '0\r\n\rX', why: 'bare CR at the end' },
  { text: '0\r\n X: y\r\n\r\n', why: 'a trailer that begins with a blank' },
  { text: '0\r\nX: y\r\n z\r\n\r\n', why: 'a folded trailer (obs-fold)' },
  { text: '0\r\nX : y\r\n\r\n', why: 'a blank before the colon of a trailer' },
  { text: '0\r\nX\r\n\r\n', why: 'a trailer without a colon' },
  { text: '0\r\n: y\r\n\r\n', why: 'a trailer without a name' },
  { text: '0\r\nX: \x00\r\n\r\n', why: 'NUL in a trailer' },
  { text: '0\r\nX: y\n\r\n', why: 'bare LF after a trailer' },
  { text: '0\r\nGET / HTTP/1.1\r\n\r\n', why: 'a request where the trailers end too early' },
  ...['Host', 'Content-Length', 'transfer-encoding', 'Connection', 'TE', 'Trailer', 'Upgrade', 'Expect'].map(
    (name) => ({
      text: `0\r\nX: y\r\n${name}: 1\r\n\r\n`,
      why: `${name} belongs into the head (RFC 9110 6.5.1)`,
    }),
  ),
  { text: `0\r\n${'X: y\r\n'.repeat(65)}\r\n`, why: 'too many trailers' },
  { text: `0\r\nX: ${'y'.repeat(8192)}\r\n\r\n`, why: 'trailers that are too large' },
  { text: `0\r\nX: ${'y'.repeat(8192)}`, why: 'trailers without end' },
];

const shown = (text: string) => JSON.stringify(text.length > 50 ? `${text.slice(0, 50)}...` : text);
const next = toBytes('GET /next HTTP/1.1\r\n');

describe('a chunked body', () => {
  for (const { text, why, content, trailers = [] } of CHUNKED) {
    const want = { content, trailers, complete: true, bytes: text.length };

    test(`is read: ${why}: ${shown(text)}`, () => {
      assert.deepEqual(decodeBody([toBytes(text)], 'CHUNKED'), want);
    });

    test(`is the same wherever it is cut, and what follows is left alone: ${why}`, () => {
      for (const [first, rest] of cutsOf(toBytes(text))) {
        assert.deepEqual(decodeBody([first, Buffer.concat([rest, next])], 'CHUNKED'), want, `cut at ${first.length}`);
      }
      for (const size of [1, 2, 3, 5]) {
        assert.deepEqual(decodeBody(piecesOf(Buffer.concat([toBytes(text), next]), size), 'CHUNKED'), want);
      }
    });

    test(`is not complete before its last byte: ${why}`, () => {
      for (const [part] of cutsOf(toBytes(text))) {
        const got = decodeBody([part], 'CHUNKED');
        assert.ok('complete' in got && !got.complete && got.bytes === part.length, `cut at ${part.length}`);
      }
    });
  }

  for (const { text, why, content = '' } of REFUSED) {
    test(`is refused: ${why}: ${shown(text)}`, () => {
      assert.deepEqual(decodeBody([toBytes(text)], 'CHUNKED'), { refused: 'malformed_message', content });
      assert.deepEqual(decodeBody(piecesOf(toBytes(text), 1), 'CHUNKED'), { refused: 'malformed_message', content });
      for (const [first, rest] of cutsOf(toBytes(text).subarray(0, 200))) {
        if (first.length + rest.length < text.length) break;
        assert.deepEqual(decodeBody([first, rest], 'CHUNKED'), { refused: 'malformed_message', content });
      }
    });
  }

  test('may have extensions of 16 KiB in all its chunks together, and no more', () => {
    const chunk = `1;${'x'.repeat(1024)}\r\na\r\n`;
    const fits = `${chunk.repeat(16)}0\r\n\r\n`;
    const want = { content: 'a'.repeat(16), trailers: [], complete: true, bytes: fits.length };
    assert.deepEqual(decodeBody([toBytes(fits)], 'CHUNKED'), want);
    const tooMuch = `${chunk.repeat(16)}1;x\r\na\r\n`;
    const refused = { refused: 'malformed_message', content: 'a'.repeat(16) };
    assert.deepEqual(decodeBody([toBytes(tooMuch)], 'CHUNKED'), refused);
  });

  test('the size of one chunk may be all that can be counted exactly', () => {
    const got = decodeBody([toBytes('1fffffffffffff\r\nx')], 'CHUNKED');
    assert.deepEqual(got, { content: 'x', trailers: [], complete: false, bytes: 17 });
  });

  test('of any content in any chunks is the same in any pieces', () => {
    const chunk = fc.record({
      bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      upperCase: fc.boolean(),
      zeros: fc.nat({ max: 3 }),
      extension: fc.constantFrom('', ';a', ';a=b', ' ;a="\\";"', ';\t'),
    });
    const trailer = fc.tuple(
      fc.stringMatching(/^[Xx][A-Za-z-]{0,8}$/),
      fc.stringMatching(/^([!-~]([ -~]{0,6}[!-~])?)?$/),
    );
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 6 }),
        fc.array(trailer, { maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
        (chunks, trailers, sizes) => {
          const parts = chunks.flatMap(({ bytes, upperCase, zeros, extension }) => {
            const digits = bytes.length.toString(16);
            const size = `${'0'.repeat(zeros)}${upperCase ? digits.toUpperCase() : digits}`;
            return [toBytes(`${size}${extension}\r\n`), Buffer.from(bytes), toBytes('\r\n')];
          });
          const end = toBytes(`0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
          const text = Buffer.concat([...parts, end]);
          const pieces: Buffer[] = [];
          for (let at = 0, turn = 0; at < text.length; turn++) {
            const size = sizes[turn % sizes.length] as number;
            pieces.push(text.subarray(at, at + size));
            at += size;
          }
          const content = chunks.map(({ bytes }) => Buffer.from(bytes).toString('latin1')).join('');
          assert.deepEqual(decodeBody(pieces, 'CHUNKED'), { content, trailers, complete: true, bytes: text.length });
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a body with a length', () => {
  test('ends after so many bytes wherever it is cut, and what follows is left alone', () => {
    const text = toBytes('0\r\n\r\nhello');
    const want = { content: text.toString('latin1'), trailers: [], complete: true, bytes: text.length };
    assert.deepEqual(decodeBody([Buffer.concat([text, next])], 'LENGTH', text.length), want);
    for (const [first, rest] of cutsOf(text)) {
      assert.deepEqual(decodeBody([first, Buffer.concat([rest, next])], 'LENGTH', text.length), want);
    }
    assert.deepEqual(decodeBody(piecesOf(Buffer.concat([text, next]), 1), 'LENGTH', text.length), want);
  });

  test('is incomplete before', () => {
    const got = decodeBody([toBytes('hell')], 'LENGTH', 5);
    assert.deepEqual(got, { content: 'hell', trailers: [], complete: false, bytes: 4 });
  });

  test('may be longer than 32 bits can count', () => {
    const decoder = new BodyDecoder('malformed_message');
    const piece = Buffer.alloc(1 << 20);
    const length = 2 ** 32 + 5;
    let taken = 0;
    const sink = {
      bodyData: (_bytes: Buffer, start: number, end: number) => {
        taken += end - start;
      },
      bodyTrailers: () => assert.fail('no trailers'),
    };
    decoder.begin(FRAMING.LENGTH, length);
    for (let calls = 0; !decoder.done && calls < 5000; calls++) decoder.decode(piece, 0, piece.length, sink);
    assert.equal(taken, length);
  });
});

test('a body that the end of the connection ends takes everything', () => {
  const text = toBytes('0\r\n\r\n\x00\xff');
  const want = { content: text.toString('latin1'), trailers: [], complete: false, bytes: text.length };
  for (const [first, rest] of cutsOf(text)) assert.deepEqual(decodeBody([first, rest], 'UNTIL_CLOSE'), want);
});

test('where there is no body nothing is taken', () => {
  assert.deepEqual(decodeBody([next], 'NONE'), { content: '', trailers: [], complete: true, bytes: 0 });
});

test('a body that is abandoned by its own taker stops there, and the next one is read afresh', () => {
  for (const text of ['5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n', '5\r\nhello\r\n0\r\nX: y']) {
    const decoder = new BodyDecoder('malformed_message');
    let heard = '';
    const sink = {
      bodyData(bytes: Buffer, start: number, end: number) {
        heard += bytes.toString('latin1', start, end);
        if (heard === 'hello' && text.includes('world')) decoder.abandon();
      },
      bodyTrailers: () => assert.fail('no trailers are complete'),
    };
    decoder.begin(FRAMING.CHUNKED, 0);
    decoder.decode(toBytes(text), 0, text.length, sink);
    decoder.abandon();
    assert.equal(heard, 'hello');
    assert.ok(decoder.done);
    heard = '';
    decoder.begin(FRAMING.CHUNKED, 0);
    const second = '2\r\nhi\r\n0\r\n\r\n';
    assert.equal(decoder.decode(toBytes(second), 0, second.length, sink), second.length);
    assert.equal(heard, 'hi');
    assert.ok(decoder.done);
  }
});

test('a malformed body raises the error that its decoder was made for', () => {
  for (const fault of ['malformed_message', 'upstream_malformed'] as const) {
    for (const text of ['x', '0\r\n: y\r\n\r\n', `0\r\n${'X: y\r\n'.repeat(65)}\r\n`]) {
      const decoder = new BodyDecoder(fault);
      decoder.begin(FRAMING.CHUNKED, 0);
      const sink = { bodyData: () => {}, bodyTrailers: () => {} };
      assert.throws(() => decoder.decode(toBytes(text), 0, text.length, sink), { code: fault });
    }
  }
});
