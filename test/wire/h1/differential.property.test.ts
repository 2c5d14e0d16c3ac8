import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBody, decodeRequest, toBytes } from './decode.ts';
import { type ParsedRequest, SecondOpinion } from './second-opinion.ts';

/**
 * Node's own parser is the second opinion on ours: what we take for one request has to be exactly one request to it, with
 * the same method, target, fields, content and trailers. What it refuses and we read, or the other way round, is each
 * one's own strictness; what both read differently is how smuggling starts.
 */

const RUNS = Number(process.env['PHOTON_FUZZ_RUNS'] ?? 4000);
const SEED = Number(process.env['PHOTON_FUZZ_SEED'] ?? Date.now() % 2 ** 31);

const VALID: readonly string[] = [
  'GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n',
  'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
  'GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close, x-y\r\nX-Y: \t z \t\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n\r\n',
];

/** What is worth putting somewhere: delimiters, framings, and what parsers are known to disagree about. */
const PIECES: readonly string[] = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x0c',
    '\x7f',
    '\x85',
    '\xa0',
    '\xff',
    ':',
    ',',
    ';',
    '"',
    '\\',
  ],
  ...['0', '1', '5', 'a', 'F', '+', '-', '_', '0x', '00', 'e', '.', '/', '?', '#', '@', '*', '%00', '%0d%0a'],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'content-length:3\r\n', 'Content-Length : 5\r\n'],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding:\tchunked\r\n',
    'chunked',
    'gzip, ',
  ],
  ...[
    'Host: b\r\n',
    'Connection: close\r\n',
    'Connection: content-length\r\n',
    'Keep-Alive: 1\r\n',
    ' folded\r\n',
    '\tfolded\r\n',
  ],
  ...['GET /2 HTTP/1.1\r\nHost: b\r\n\r\n', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ...[
    '0\r\n\r\n',
    '0\r\nX: y\r\n\r\n',
    '5\r\nhello\r\n',
    '1;a="\r\n',
    'fffffffffffffffff',
    '; a',
    ' ;',
    'X:\r\n',
    'X: y\r\n',
  ],
];

/** One change to a text: at `at` (a fraction of its length), `removed` characters give way to `piece`. */
interface Mutation {
  readonly at: number;
  readonly removed: number;
  readonly piece: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 12 }) }),
  piece: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...PIECES) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) },
    { weight: 1, arbitrary: fc.constant('') },
  ),
});

/** Half of the changes go to a line's beginning: that is where whole fields and chunks fit. */
const placed = fc.tuple(mutation, fc.boolean());

function mutate(text: string, changes: readonly (readonly [Mutation, boolean])[]): string {
  let result = text;
  for (const [{ at, removed, piece }, atLine] of changes) {
    let position = Math.floor(at * (result.length + 1));
    if (atLine) position = result.lastIndexOf('\r\n', position) + 2;
    result = result.slice(0, position) + piece + result.slice(position + removed);
  }
  return result;
}

/** How we read the first request of `bytes`, and how many of them it takes; null when it is refused or unfinished. */
function ourReading(bytes: Buffer): { readonly request: ParsedRequest; readonly bytes: number } | null {
  const head = decodeRequest(bytes);
  if (typeof head !== 'object' || !('method' in head)) return null;
  const body = decodeBody([bytes.subarray(head.headBytes)], head.framing, head.contentLength);
  if (!('complete' in body && body.complete)) return null;
  const { method, target, versionMinor, fields, headBytes } = head;
  return {
    request: { method, target, version: `1.${versionMinor}`, fields, body: body.content, trailers: body.trailers },
    bytes: headBytes + body.bytes,
  };
}

test(`what we take for a request is exactly that request to node:http (${RUNS} runs, seed ${SEED})`, async () => {
  const second = new SecondOpinion();
  let read = 0;
  let refused = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...VALID), fc.array(placed, { maxLength: 4 }), async (valid, changes) => {
        const bytes = toBytes(mutate(valid, changes));
        const ours = ourReading(bytes);
        // CONNECT asks for a tunnel: nobody reads a body after it, and we refuse the method.
        if (ours === null || !METHODS.includes(ours.request.method) || ours.request.method === 'CONNECT') return;
        read++;
        const opinion = await second.ask(bytes.subarray(0, ours.bytes));
        if (opinion.requests.length === 0 && opinion.refused) {
          refused++;
          return;
        }
        assert.deepEqual(
          opinion,
          { requests: [ours.request], refused: false },
          JSON.stringify(bytes.toString('latin1')),
        );
      }),
      { numRuns: RUNS, seed: SEED },
    );
  } finally {
    second.close();
  }
  assert.ok(read > RUNS / 10, `only ${read} of ${RUNS} messages were read: nothing was tested`);
  assert.ok(refused < read / 10, `${refused} of the ${read} messages that we read were refused by node:http`);
});

test('the valid messages that the others are made of are read by both', async () => {
  const second = new SecondOpinion();
  try {
    for (const text of VALID) {
      const ours = ourReading(toBytes(text));
      assert.equal(ours?.bytes, text.length);
      assert.deepEqual(await second.ask(toBytes(text)), { requests: [ours?.request], refused: false });
    }
  } finally {
    second.close();
  }
});
