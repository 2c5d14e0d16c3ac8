import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FIELD_NAMES } from '../../../src/http/field-names.ts';
import { FRAMING } from '../../../src/http/framing.ts';
import { REQUEST_DROPS, RESPONSE_DROPS } from '../../../src/http/hop-by-hop.ts';
import { chunkedEnd, chunkPrefix } from '../../../src/wire/h1/chunk-encoder.ts';
import { encodePassingFields } from '../../../src/wire/h1/field-encoder.ts';
import { encodeInformationalHead, encodeRequestHead, encodeResponseHead } from '../../../src/wire/h1/head-encoder.ts';
import { fieldListOf } from '../../support/field-list.ts';
import { decodeBody, decodeRequest, decodeResponse, type FieldLine, fieldLines, toBytes } from './decode.ts';
import { outgoingRequest, requestHead, responseHead } from './heads.ts';

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 12 });

/** What makes a message another one, or invalid. */
const FRAMING_NAMES: readonly string[] = ['host', 'content-length', 'transfer-encoding', 'expect', 'connection'];

const inAnyCase = (name: fc.Arbitrary<string>) =>
  fc
    .tuple(name, fc.constantFrom('lower', 'upper'))
    .map(([text, wanted]) => (wanted === 'upper' ? text.toUpperCase() : text));

/** Names with a meaning that the encoders drop or write themselves; what makes a message invalid stays out. */
const knownName = inAnyCase(fc.constantFrom(...FIELD_NAMES.slice(1).filter((name) => !FRAMING_NAMES.includes(name))));

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
  .filter(({ name }) => !FRAMING_NAMES.includes(name.toLowerCase()));

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

test('a request that is right as it came leaves as it would be written anew', () => {
  const line = fc
    .tuple(fc.oneof(token, knownName), value)
    .map(([name, text]) => ({ name, value: text, line: `${name}: ${text}\r\n` }));
  const allowed = line.filter(({ name }) => !FRAMING_NAMES.includes(name.toLowerCase()));
  fc.assert(
    fc.property(fc.array(allowed, { maxLength: 12 }), fc.nat({ max: 12 }), (written, hostAt) => {
      const lines = written.map((each) => each.line).toSpliced(hostAt, 0, 'Host: out\r\n');
      const encoded = encodeRequestHead(outgoingRequest(requestHead(`GET /out?q HTTP/1.1\r\n${lines.join('')}\r\n`)));
      const got = decodeRequest(toBytes(encoded));
      assert.ok(typeof got === 'object' && 'method' in got, encoded);
      const host: FieldLine = ['Host', 'out'];
      assert.deepEqual(
        got.fields.filter(([name]) => name.toLowerCase() !== 'host'),
        passing(written, [], REQUEST_DROPS),
      );
      assert.deepEqual([got.method, got.target, got.host, got.headBytes], ['GET', '/out?q', 'out', encoded.length]);
      assert.deepEqual(
        got.fields.filter(([name]) => name.toLowerCase() === 'host'),
        [host],
      );
    }),
    { numRuns: 500 },
  );
});

test('an interim reply says in its encoded form what it said, and never how a body is framed', () => {
  fc.assert(
    fc.property(
      fields,
      named,
      fc.integer({ min: 100, max: 199 }),
      value,
      fc.nat({ max: 1 }),
      (written, picks, status, reason, minor) => {
        const names = namesIn(written, picks);
        const connection = names.length === 0 ? '' : `Connection: ${names.join(',')}\r\n`;
        const text = `HTTP/1.${minor} ${status} ${reason}\r\n${connection}${linesOf(written)}Content-Length: 5\r\n\r\n`;
        const encoded = encodeInformationalHead(responseHead(text));
        const got = decodeResponse(toBytes(encoded));
        assert.ok(typeof got === 'object' && 'status' in got, encoded);
        assert.deepEqual(got.fields, passing(written, names, RESPONSE_DROPS));
        assert.deepEqual([got.status, got.reason, got.versionMinor], [status, reason, 1]);
        assert.deepEqual([got.framing, got.headBytes], ['NONE', encoded.length]);
      },
    ),
    { numRuns: 500 },
  );
});

test('a reply of the gateway itself says what it was given', () => {
  const length = fc.oneof(fc.constant(-1), fc.nat());
  const connections = fc.constantFrom('', 'close', 'keep-alive' as const);
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      length,
      connections,
      fc.array(token),
      (status, contentLength, connection, names) => {
        const additions = fieldListOf(names.map((name) => `X-${name}: ${name}\r\n`).join(''));
        const framing = contentLength > 0 ? FRAMING.LENGTH : FRAMING.NONE;
        const chunked = contentLength < 0;
        const encoded = encodeResponseHead(
          { status, source: null, drops: null, additions, framing, contentLength },
          { chunked, connection },
        );
        const got = decodeResponse(toBytes(encoded));
        assert.ok(typeof got === 'object' && 'status' in got, encoded);
        const bodyless = status === 204 || status === 304;
        assert.equal(got.framing, bodyless ? 'NONE' : chunked ? 'CHUNKED' : contentLength > 0 ? 'LENGTH' : 'NONE');
        assert.equal(got.contentLength, chunked || status === 204 ? -1 : contentLength);
        assert.equal(got.persistent, connection !== 'close');
        assert.deepEqual(
          got.fields.slice(0, names.length),
          names.map((name) => [`X-${name}`, name]),
        );
        assert.equal(got.headBytes, encoded.length);
      },
    ),
    { numRuns: 500 },
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
          { status, source, drops: null, additions: fieldListOf('Via: x\r\n'), framing, contentLength },
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

/** Bytes in pieces, cut at any places. */
const cuts = fc.array(fc.nat({ max: 9999 }), { maxLength: 8 });

function cutAt(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const positions = places.map((place) => Math.floor((place / 10_000) * bytes.length)).sort((a, b) => a - b);
  const starts = [0, ...positions];
  return starts.map((start, at) => bytes.subarray(start, starts[at + 1] ?? bytes.length));
}

test('content in our chunks with our end is that content, wherever it is cut, and what follows is left', () => {
  const chunksOfContent = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }));
  fc.assert(
    fc.property(chunksOfContent, fields, cuts, (chunks, written, places) => {
      const trailers = written.filter(({ name }) => !['te', 'trailer', 'upgrade'].includes(name.toLowerCase()));
      const parts = chunks.map((chunk) => Buffer.concat([toBytes(chunkPrefix(chunk.length)), chunk, toBytes('\r\n')]));
      const text = Buffer.concat([...parts, toBytes(chunkedEnd(linesOf(trailers)))]);
      assert.deepEqual(decodeBody([...cutAt(text, places), toBytes('GET / HTTP/1.1')], 'CHUNKED'), {
        content: Buffer.concat(chunks).toString('latin1'),
        trailers: trailers.map((each) => [each.name, each.value]),
        complete: true,
        bytes: text.length,
      });
    }),
    { numRuns: 500 },
  );
});

test('content of a known length, or up to the end, is that content wherever it is cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), cuts, (bytes, places) => {
      const content = Buffer.from(bytes);
      const whole = { content: content.toString('latin1'), trailers: [], bytes: content.length };
      const pieces = cutAt(content, places);
      const followed = [...pieces, toBytes('HTTP/1.1 200 OK')];
      assert.deepEqual(decodeBody(followed, 'LENGTH', content.length), { ...whole, complete: true });
      assert.deepEqual(decodeBody(pieces, 'UNTIL_CLOSE'), { ...whole, complete: false });
    }),
  );
});

test('trailers that pass are encoded as they were decoded', () => {
  fc.assert(
    fc.property(fields, (written) => {
      const trailers = requestHead(`GET / HTTP/1.1\r\nHost: in\r\n${linesOf(written)}\r\n`);
      const end = toBytes(chunkedEnd(encodePassingFields(trailers, REQUEST_DROPS, false)));
      const passed = passing(written, [], REQUEST_DROPS).filter(([name]) => name.toLowerCase() !== 'trailer');
      const got = decodeBody([end], 'CHUNKED');
      if (passed.length < passing(written, [], REQUEST_DROPS).length) assert.ok('refused' in got);
      else assert.deepEqual(got, { content: '', trailers: passed, complete: true, bytes: end.length });
    }),
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
        // RFC 9113 8.2.3: Cookie is joined as it was split.
        const separator = name.toLowerCase() === 'cookie' ? '; ' : ', ';
        assert.equal(head.combinedValue(name.toLowerCase()), same.map((each) => each.value).join(separator));
      }
    }),
  );
});
