import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FIELD_NAMES } from '../../../src/http/field-names.ts';
import { FRAMING } from '../../../src/http/framing.ts';
import { REQUEST_DROPS, RESPONSE_DROPS } from '../../../src/http/hop-by-hop.ts';
import { chunkedEnd, chunkPrefix } from '../../../src/wire/h1/chunk-encoder.ts';
import { encodeRequestHead, encodeResponseHead } from '../../../src/wire/h1/head-encoder.ts';
import { decodeBody, decodeRequest, decodeResponse, type FieldLine, fieldLines, toBytes } from './decode.ts';
import { outgoingRequest, requestHead, responseHead } from './heads.ts';

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 12 });

const inAnyCase = (name: fc.Arbitrary<string>) =>
  fc
    .tuple(name, fc.constantFrom('lower', 'upper'))
    .map(([text, wanted]) => (wanted === 'upper' ? text.toUpperCase() : text));

/** Names with a meaning that the encoders drop or write themselves; what makes a message invalid stays out. */
const knownName = inAnyCase(
  fc.constantFrom(
    ...FIELD_NAMES.slice(1).filter(
      (name) => !['host', 'content-length', 'transfer-encoding', 'expect', 'connection'].includes(name),
    ),
  ),
);

const latin1 = fc
  .integer({ min: 0x21, max: 0xff })
  .filter((byte) => byte !== 0x7f)
  .map((byte) => String.fromCharCode(byte));
const inside = fc.oneof({ weight: 4, arbitrary: latin1 }, { weight: 1, arbitrary: fc.constantFrom(' ', '\t') });
const value = fc
  .tuple(fc.option(latin1, { nil: '' }), fc.string({ unit: inside, maxLength: 20 }), latin1)
  .map(([first, middle, last]) => (first === '' ? '' : first + middle + last));
const blanks = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 });

interface WrittenField {
  readonly name: string;
  readonly value: string;
  readonly line: string;
}

const field: fc.Arbitrary<WrittenField> = fc
  .tuple(fc.oneof(token, knownName), value, blanks, blanks)
  .map(([name, text, before, after]) => ({ name, value: text, line: `${name}:${before}${text}${after}\r\n` }))
  .filter(
    ({ name }) => !['host', 'content-length', 'transfer-encoding', 'expect', 'connection'].includes(name.toLowerCase()),
  );

const fields = fc.array(field, { maxLength: 12 });
/** Which of the fields the message's own Connection names. */
const named = fc.array(fc.nat({ max: 11 }), { maxLength: 3 });

const linesOf = (written: readonly WrittenField[]) => written.map(({ line }) => line).join('');

/** What has to pass, worked out the plain way. */
function passing(
  written: readonly WrittenField[],
  namedFields: readonly string[],
  drops: Uint8Array,
): readonly FieldLine[] {
  return written
    .filter(({ name }) => {
      const lowerCaseName = name.toLowerCase();
      const number = FIELD_NAMES.indexOf(lowerCaseName);
      return !namedFields.includes(lowerCaseName) && (number < 1 || drops[number] === 0);
    })
    .map((each) => [each.name, each.value] as const);
}

function namesIn(written: readonly WrittenField[], picks: readonly number[]): readonly string[] {
  return picks.flatMap((pick) => written[pick]?.name.toLowerCase() ?? []);
}

const bodyFraming = fc.oneof(
  fc.constant({ line: '', framing: 'NONE', contentLength: 0 }),
  fc.nat().map((length) => ({
    line: `content-length:${length}\r\n`,
    framing: length === 0 ? 'NONE' : 'LENGTH',
    contentLength: length,
  })),
  fc.constant({ line: 'Transfer-encoding: chunkeD \r\n', framing: 'CHUNKED', contentLength: 0 }),
);

test('what a request says, its encoded form says: the fields that pass, the framing, nothing else', () => {
  fc.assert(
    fc.property(fields, named, bodyFraming, fc.constantFrom('POST', 'GET'), (written, picks, body, method) => {
      const names = namesIn(written, picks);
      const connection = names.length === 0 ? '' : `Connection: ${names.join(' , ')}\r\n`;
      const text = `${method} / HTTP/1.1\r\n${linesOf(written)}Host: in\r\n${connection}${body.line}\r\n`;
      const encoded = encodeRequestHead(outgoingRequest(requestHead(text), 'Via: x\r\n'));
      const got = decodeRequest(toBytes(encoded));
      assert.ok(typeof got === 'object' && 'method' in got, encoded);
      const framingLine: readonly FieldLine[] =
        body.framing === 'CHUNKED'
          ? [['Transfer-Encoding', 'chunked']]
          : body.framing === 'LENGTH' || method === 'POST'
            ? [['Content-Length', String(body.contentLength)]]
            : [];
      assert.deepEqual(got.fields, [
        ['Host', 'out'],
        ...passing(written, names, REQUEST_DROPS),
        ['Via', 'x'],
        ...framingLine,
      ]);
      assert.equal(got.framing, body.framing);
      assert.equal(got.contentLength, body.contentLength);
      assert.deepEqual([got.method, got.target, got.headBytes], [method, '/out?q', encoded.length]);
    }),
    { numRuns: 1000 },
  );
});

test('what a reply says, its encoded form says', () => {
  fc.assert(
    fc.property(
      fields,
      named,
      bodyFraming,
      fc.integer({ min: 200, max: 599 }),
      value,
      (written, picks, body, status, reason) => {
        const names = namesIn(written, picks);
        const connection = names.length === 0 ? '' : `Connection: ${names.join(',')}\r\n`;
        const text = `HTTP/1.1 ${status} ${reason}\r\n${connection}${linesOf(written)}${body.line}\r\n`;
        const source = responseHead(text);
        const chunked = source.framing === FRAMING.CHUNKED || source.framing === FRAMING.UNTIL_CLOSE;
        const { framing, contentLength } = source;
        const encoded = encodeResponseHead(
          { status, source, additions: 'Via: x\r\n', framing, contentLength },
          { chunked, connection: '' },
        );
        const got = decodeResponse(toBytes(encoded));
        assert.ok(typeof got === 'object' && 'status' in got, encoded);
        const hasLength = contentLength >= 0 && status !== 204;
        assert.deepEqual(got.fields, [
          ...passing(written, names, RESPONSE_DROPS),
          ['Via', 'x'],
          ...(chunked
            ? [['Transfer-Encoding', 'chunked']]
            : hasLength
              ? [['Content-Length', String(contentLength)]]
              : []),
        ]);
        assert.deepEqual([got.status, got.reason, got.headBytes], [status, reason, encoded.length]);
        assert.equal(
          got.framing,
          chunked ? 'CHUNKED' : body.framing === 'LENGTH' && framing !== FRAMING.NONE ? 'LENGTH' : 'NONE',
        );
      },
    ),
    { numRuns: 1000 },
  );
});

test('no bytes of a client make two messages of one: what is accepted is encoded as one head, to its last byte', () => {
  const anyByte = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('\r', '\n', '\r\n', '\r\n\r\n', '\0', '\x85', '\xa0', ':', ' ', '\t') },
    {
      weight: 3,
      arbitrary: fc.constantFrom('GET / HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked', 'A: b'),
    },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) },
  );
  const garbage = fc.array(anyByte, { maxLength: 12 }).map((parts) => parts.join(''));
  let accepted = 0;
  fc.assert(
    fc.property(garbage, garbage, (first, second) => {
      const text = `GET / HTTP/1.1\r\nHost: in\r\nX: ${first}\r\n${second}: y\r\n\r\n`;
      const got = decodeRequest(toBytes(text));
      if (typeof got !== 'object' || !('method' in got)) return;
      accepted++;
      const encoded = encodeRequestHead(outgoingRequest(requestHead(text.slice(0, got.headBytes))));
      const again = decodeRequest(toBytes(encoded));
      assert.ok(
        typeof again === 'object' && 'method' in again && again.headBytes === encoded.length,
        JSON.stringify(encoded),
      );
      assert.doesNotMatch(again.fields.flat().join(''), /[\r\n\0]/);
    }),
    { numRuns: 3000 },
  );
  assert.ok(accepted > 50, `only ${accepted} of the messages were accepted: nothing was tested`);
});

test('content in our chunks with our end is that content', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })), fields, (chunks, written) => {
      const trailers = written.filter(({ name }) => !['te', 'trailer', 'upgrade'].includes(name.toLowerCase()));
      const parts = chunks.map((chunk) => Buffer.concat([toBytes(chunkPrefix(chunk.length)), chunk, toBytes('\r\n')]));
      const text = Buffer.concat([...parts, toBytes(chunkedEnd(linesOf(trailers)))]);
      assert.deepEqual(decodeBody([text], 'CHUNKED'), {
        content: Buffer.concat(chunks).toString('latin1'),
        trailers: trailers.map((each) => [each.name, each.value]),
        complete: true,
        bytes: text.length,
      });
    }),
    { numRuns: 200 },
  );
});

test('a decoded head tells each of its fields as it was written', () => {
  fc.assert(
    fc.property(fields, (written) => {
      const head = requestHead(`GET / HTTP/1.1\r\nHost: a\r\n${linesOf(written)}\r\n`);
      assert.deepEqual(
        fieldLines(head).slice(1),
        written.map((each) => [each.name, each.value]),
      );
      for (const { name } of written) {
        const same = written.filter((each) => each.name.toLowerCase() === name.toLowerCase());
        assert.equal(head.combinedValue(name.toLowerCase()), same.map((each) => each.value).join(', '));
      }
    }),
  );
});
