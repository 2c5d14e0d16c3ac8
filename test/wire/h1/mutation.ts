import fc from 'fast-check';

/** Small changes to valid messages: some harmless, so that most of a message is still read, some of what parsers disagree about. */

/** Delimiters, framings, and what parsers are known to read differently. */
const HOSTILE: readonly string[] = [
  ...['\r', '\n', '\r\n', '\n\n', '\r\r\n', '\n\r\n', '\r\n\r\n', ' ', '\t', '\0', '\x0b', '\x0c', '\x1f', '\x7f'],
  ...['\x85', '\xa0', '\xff', '\xef\xbb\xbf', ':', ',', ';', '"', '\\', '(', '='],
  ...['0', '1', '5', 'a', 'F', '+', '-', '_', '0x', '00', 'e', '.', '/', '?', '#', '@', '*', '%00', '%0d%0a'],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'content-length:3\r\n', 'Content-Length : 5\r\n'],
  ...['Content-Length: 5, 5\r\n', 'Content-Length: +5\r\n', 'Content-Length:\r\n', 'Content_Length: 5\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: identity\r\n', 'Transfer-Encoding:\tchunked\r\n'],
  ...['Transfer-Encoding: xchunked\r\n', 'Transfer-Encoding: gzip, chunked\r\n', 'Transfer-Encoding: chunked, x\r\n'],
  ...['Transfer-Encoding\r\n : chunked\r\n', 'Transfer-Encoding:\r\n chunked\r\n', 'Transfer_Encoding: chunked\r\n'],
  ...['chunked', 'gzip, ', ', chunked', ', identity', 'Host: b\r\n', 'Host : b\r\n'],
  ...['Connection: close\r\n', 'Connection: keep-alive\r\n', 'Connection: content-length\r\n', 'Upgrade: x\r\n'],
  ...[
    'Connection: Upgrade\r\n',
    'Connection: transfer-encoding\r\n',
    'Keep-Alive: 1\r\n',
    ' folded\r\n',
    '\tfolded\r\n',
  ],
  ...['GET /2 HTTP/1.1\r\nHost: b\r\n\r\n', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 200 OK\r\n\r\n'],
  ...['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP/1.1 100 Continue\r\n\r\n', ' 204 ', ' 304 ', ' 101 ', ' 100 '],
  ...[
    '0\r\n\r\n',
    '0\r\nX: y\r\n\r\n',
    '5\r\nhello\r\n',
    '1;a="\r\n',
    'fffffffffffffffff',
    '; a',
    ' ;',
    ';\n',
    ';a=\r',
  ],
];

/** Whole lines that change nothing but their own field, and characters that fit nearly everywhere. */
const HARMLESS_LINES: readonly string[] = [
  ...['X: y\r\n', 'X:\r\n', 'X-Y: \t z \t\r\n', 'accept: */*\r\n', 'Via: 1.1 b\r\n', 'X-Forwarded-For: 1.2.3.4\r\n'],
  ...['Cookie: a=b\r\n', "!#$%&'*+-.^_`|~: v\r\n", 'X: \xe9\xff\r\n', 'Connection: X\r\n', 'Transfer-Encodings: a\r\n'],
];
const HARMLESS_CHARACTERS: readonly string[] = ['a', 'Z', '7', '-', '.', '_', '~', '!', '*'];

/** One change to a text: at `at` (a fraction of its length), `removed` characters give way to `piece`. */
interface Mutation {
  readonly at: number;
  readonly removed: number;
  readonly piece: string;
  /** Move on to where the next line begins: that is where whole fields and chunks fit. */
  readonly atLine: boolean;
}

/** Evenly spread: fc.double would take every second number from next to 0. */
const place = fc.nat({ max: 9999 }).map((tenThousandths) => tenThousandths / 10_000);
const anyByte = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte));
const mutationOf = (parts: {
  readonly removed: fc.Arbitrary<number>;
  readonly piece: fc.Arbitrary<string>;
  readonly atLine: fc.Arbitrary<boolean>;
}): fc.Arbitrary<Mutation> => fc.record({ at: place, ...parts });

/** A line or the middle of one out of another message. */
const borrowed = (texts: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...texts), place, fc.nat({ max: 40 }), fc.boolean()).map(([text, at, length, wholeLine]) => {
    const start = Math.floor(at * text.length);
    if (!wholeLine) return text.slice(start, start + length);
    const lineStart = text.lastIndexOf('\r\n', start) + 2;
    return text.slice(lineStart < 2 ? 0 : lineStart, text.indexOf('\r\n', start) + 2);
  });

function mutation(texts: readonly string[]): fc.Arbitrary<Mutation> {
  const mostly0 = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 12 }) });
  return fc.oneof(
    {
      weight: 8,
      arbitrary: mutationOf({
        removed: fc.constant(0),
        piece: fc.constantFrom(...HARMLESS_LINES),
        atLine: fc.constant(true),
      }),
    },
    {
      weight: 4,
      arbitrary: mutationOf({
        removed: fc.constantFrom(0, 1),
        piece: fc.constantFrom(...HARMLESS_CHARACTERS),
        atLine: fc.constant(false),
      }),
    },
    {
      weight: 4,
      arbitrary: mutationOf({ removed: mostly0, piece: fc.constantFrom(...HOSTILE), atLine: fc.boolean() }),
    },
    { weight: 1, arbitrary: mutationOf({ removed: mostly0, piece: borrowed(texts), atLine: fc.boolean() }) },
    { weight: 1, arbitrary: mutationOf({ removed: mostly0, piece: anyByte, atLine: fc.boolean() }) },
    { weight: 1, arbitrary: mutationOf({ removed: mostly0, piece: fc.constant(''), atLine: fc.boolean() }) },
  );
}

function mutate(text: string, changes: readonly Mutation[]): string {
  let result = text;
  for (const { at, removed, piece, atLine } of changes) {
    let position = Math.floor(at * (result.length + 1));
    const lineEnd = result.indexOf('\r\n', position);
    if (atLine && lineEnd >= 0) position = lineEnd + 2;
    result = result.slice(0, position) + piece + result.slice(position + removed);
  }
  return result;
}

/** One of `texts` with one to three changes. */
export function mutated(texts: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(mutation(texts), { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) => mutate(text, changes));
}
