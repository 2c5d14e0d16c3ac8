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
const HARMLESS_CHARACTERS: readonly string[] = ['a', 'd', 'x', 'Z', '7', '-', '.', '_', '~', '!', '*'];
/** What can stand where a line ends, before its CRLF or in place of it. */
const LINE_ENDS: readonly string[] = [
  ...[' ', '\t', ' \t', '\n', '\r', '\r\r\n', '\n\r\n', '\0', '\x0b', '\x0c', '\x7f', '\xa0', ',', '\r\n '],
  ...[';', ' ;', ';a', ' ;a', ';\n', ';a\n', ';a=\n\r\n', ';"\n', ';a="\r', '\n0\r\n', '_', '0', 'h', '\r\n\r\n'],
];
/** What can stand around the value of a framing field. */
const AROUND_FRAMING: readonly string[] = [
  ...[
    '+',
    '-',
    '0x',
    '0',
    '0b1',
    '_',
    '.',
    '"',
    "'",
    ' ',
    '\t',
    '\x0b',
    '\x0c',
    '\xa0',
    '\0',
    ',',
    ';',
    'x',
    '5,',
    '5, ',
  ],
  ...['identity, ', 'chunked, ', 'gzip,', '\r\n ', '\n', '\r', '1e', '\xb2'],
];
const VERSIONS: readonly string[] = [
  ...[
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/1.9',
    'HTTP/2.0',
    'HTTP/0.9',
    'HTTP/1.01',
    'HTTP/01.1',
    'http/1.1',
    'HTTP/1',
    'HTTP 1.1',
  ],
];

type Mutation = (text: string) => string;

/** Evenly spread: fc.double would take every second number from next to 0. */
const place = fc.nat({ max: 9999 }).map((tenThousandths) => tenThousandths / 10_000);
const anyByte = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte));
const mostly0 = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 12 }) });

/** `removed` characters at a place (a fraction of the length) give way to `piece`. */
const anywhere = (piece: fc.Arbitrary<string>, removed: fc.Arbitrary<number>): fc.Arbitrary<Mutation> =>
  fc.tuple(place, removed, piece).map(([at, count, put]) => (text) => {
    const position = Math.floor(at * (text.length + 1));
    return text.slice(0, position) + put + text.slice(position + count);
  });

/** The same where a line begins: that is where whole fields and chunks fit. */
const atLine = (piece: fc.Arbitrary<string>, removed: fc.Arbitrary<number>): fc.Arbitrary<Mutation> =>
  fc.tuple(place, removed, piece).map(([at, count, put]) => (text) => {
    const lineEnd = oneOf(text, /\r\n/g, at);
    return lineEnd === null ? text : text.slice(0, lineEnd + 2) + put + text.slice(lineEnd + 2 + count);
  });

/** A line's end gets something before it, or gives way to it. */
const lineEnd: fc.Arbitrary<Mutation> = fc
  .tuple(place, fc.constantFrom(0, 0, 2), fc.constantFrom(...LINE_ENDS))
  .map(([at, count, put]) => (text) => {
    const position = oneOf(text, /\r\n/g, at);
    return position === null ? text : text.slice(0, position) + put + text.slice(position + count);
  });

/** The value of a Content-Length or Transfer-Encoding gets something before or after it. */
const framing: fc.Arbitrary<Mutation> = fc
  .tuple(fc.constantFrom('before', 'after'), fc.constantFrom(...AROUND_FRAMING))
  .map(
    ([side, put]) =>
      (text) =>
        text.replace(/((?:content-length|transfer-encoding):[ \t]*)([^\r]*)/i, (_all, name, value) =>
          side === 'before' ? name + put + value : name + value + put,
        ),
  );

const version: fc.Arbitrary<Mutation> = fc
  .constantFrom(...VERSIONS)
  .map((other) => (text) => text.replace(/HTTP\/1\.\d/, other));

/** Where one of the matches of `pattern` is; null when there is none. */
function oneOf(text: string, pattern: RegExp, at: number): number | null {
  const positions = Array.from(text.matchAll(pattern), ({ index }) => index);
  return positions[Math.floor(at * positions.length)] ?? null;
}

/** A line or the middle of one out of another message. */
const borrowed = (texts: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...texts), place, fc.nat({ max: 40 }), fc.boolean()).map(([text, at, length, wholeLine]) => {
    const start = Math.floor(at * text.length);
    if (!wholeLine) return text.slice(start, start + length);
    const lineStart = text.lastIndexOf('\r\n', start) + 2;
    return text.slice(lineStart < 2 ? 0 : lineStart, text.indexOf('\r\n', start) + 2);
  });

function mutation(texts: readonly string[]): fc.Arbitrary<Mutation> {
  const none = fc.constant(0);
  const hostile = fc.constantFrom(...HOSTILE);
  return fc.oneof(
    { weight: 15, arbitrary: atLine(fc.constantFrom(...HARMLESS_LINES), none) },
    { weight: 9, arbitrary: anywhere(fc.constantFrom(...HARMLESS_CHARACTERS), fc.constantFrom(0, 1)) },
    { weight: 2, arbitrary: anywhere(hostile, mostly0) },
    { weight: 2, arbitrary: atLine(hostile, mostly0) },
    { weight: 3, arbitrary: lineEnd },
    { weight: 2, arbitrary: framing },
    { weight: 1, arbitrary: version },
    { weight: 1, arbitrary: atLine(borrowed(texts), mostly0) },
    { weight: 1, arbitrary: anywhere(fc.oneof(borrowed(texts), anyByte, fc.constant('')), mostly0) },
  );
}

/** One of `texts` with one to three changes. */
export function mutated(texts: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(mutation(texts), { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) => changes.reduce((changed, change) => change(changed), text));
}
