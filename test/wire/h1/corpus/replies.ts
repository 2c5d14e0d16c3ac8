/** Valid replies that the others are made of by small changes. Each is read by Photon and by node:http, to its last byte. */

export interface ValidReply {
  readonly why: string;
  /** Of the request that it answers. */
  readonly method: 'GET' | 'HEAD';
  /** One character a byte. */
  readonly text: string;
}

const reply = (status: string, fields: readonly string[], body = ''): string =>
  `HTTP/1.1 ${status}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`;

const toGet = (why: string, text: string): ValidReply => ({ why, method: 'GET', text });
const toHead = (why: string, text: string): ValidReply => ({ why, method: 'HEAD', text });

const CHUNKED = 'Transfer-Encoding: chunked';
const OK = reply('200 OK', ['Content-Length: 2'], 'hi');
const CONTINUE = reply('100 Continue', []);
const EARLY_HINTS = reply('103 Early Hints', ['Link: </a.css>; rel=preload']);

export const VALID_REPLIES: readonly ValidReply[] = [
  // With a length.
  toGet(
    'an ordinary reply',
    reply('200 OK', ['Server: x', 'Date: Sun, 06 Nov 1994 08:49:37 GMT', 'Content-Length: 5'], 'hello'),
  ),
  toGet('an empty body', reply('200 OK', ['Content-Length: 0'])),
  toGet('created', reply('201 Created', ['Location: /items/7', 'Content-Length: 2'], '{}')),
  toGet('part of a body', reply('206 Partial Content', ['Content-Range: bytes 0-1/10', 'Content-Length: 2'], 'ab')),
  toGet('a redirect', reply('302 Found', ['Location: https://a.example/', 'Content-Length: 0'])),
  toGet('not found', reply('404 Not Found', ['Content-Type: text/plain', 'Content-Length: 9'], 'not found')),
  toGet('a server error', reply('503 Service Unavailable', ['Retry-After: 5', 'Content-Length: 4'], 'busy')),
  toGet('an unknown status', reply('599 Whatever', ['Content-Length: 1'], 'x')),
  toGet('a reset content', reply('205 Reset Content', ['Content-Length: 0'])),
  toGet('a body that looks like a reply', reply('200 OK', [`Content-Length: ${OK.length}`], OK)),
  toGet('a body that looks like chunks', reply('200 OK', ['Content-Length: 10'], '0\r\n\r\n0\r\n\r\n')),
  toGet(
    'a body of all bytes',
    reply(
      '200 OK',
      ['Content-Length: 256'],
      Buffer.from(Array.from({ length: 256 }, (_none, at) => at)).toString('latin1'),
    ),
  ),
  toGet('a length with zeros before it', reply('200 OK', ['Content-Length: 002'], 'hi')),
  toGet('a closed connection', reply('200 OK', ['Connection: close', 'Content-Length: 2'], 'hi')),
  toGet(
    'names in any case',
    reply('200 OK', ['CONTENT-length:\t2 ', 'connection: Keep-Alive', 'KEEP-ALIVE: timeout=5'], 'hi'),
  ),
  toGet('HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
  toGet('HTTP/1.0 that persists', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi'),
  toGet('an empty reason', reply('200 ', ['Content-Length: 2'], 'hi')),
  toGet('a reason with obs-text', reply('200 Tr\xe8s bien', ['Content-Length: 2'], 'hi')),
  toGet('a long reason', reply('418 I am a teapot, short and stout: (handle) [spout]', ['Content-Length: 2'], 'hi')),
  toGet(
    'cookies',
    reply('200 OK', ['Set-Cookie: a=b; Path=/; HttpOnly', 'Set-Cookie: c=d; Secure', 'Content-Length: 0']),
  ),
  toGet(
    'blanks around values',
    reply('200 OK', ['A:1', 'B: \t 2', 'C: 3 \t', 'D: 4 \t 4 ', 'E: \t ', 'F:', 'Content-Length: 0']),
  ),
  toGet('obs-text in a value', reply('200 OK', ['X-Name: caf\xc3\xa9 \xff\x80', 'Content-Length: 0'])),
  toGet(
    'many fields',
    reply('200 OK', [...Array.from({ length: 60 }, (_none, at) => `X-${at}: ${at}`), 'Content-Length: 1'], 'x'),
  ),
  toGet('Connection names a field', reply('200 OK', ['Connection: X-Hop', 'X-Hop: 1', 'Content-Length: 1'], 'x')),
  toGet(
    'an offer to upgrade',
    reply('426 Upgrade Required', ['Upgrade: websocket', 'Connection: Upgrade', 'Content-Length: 0']),
  ),

  // Chunked.
  toGet('no chunk but the last', reply('200 OK', [CHUNKED], '0\r\n\r\n')),
  toGet('two chunks', reply('200 OK', [CHUNKED], '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')),
  toGet('extensions', reply('200 OK', [CHUNKED], '5;a=1;b="x y"\r\nhello\r\n0;c\r\n\r\n')),
  toGet('zeros before sizes', reply('200 OK', [CHUNKED], '000A\r\n0123456789\r\n000\r\n\r\n')),
  toGet(
    'a trailer',
    reply('200 OK', [CHUNKED, 'Trailer: Server-Timing'], '2\r\nhi\r\n0\r\nServer-Timing: db;dur=5\r\n\r\n'),
  ),
  toGet('several trailers', reply('200 OK', [CHUNKED], '0\r\nA: 1\r\nB:2\r\nC: \t3\t\r\nD:\r\n\r\n')),
  toGet('chunked, and then closed', reply('200 OK', [CHUNKED, 'Connection: close'], '2\r\nhi\r\n0\r\n\r\n')),
  toGet(
    'events',
    reply(
      '200 OK',
      ['Content-Type: text/event-stream', 'Cache-Control: no-cache', CHUNKED],
      'b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n0\r\n\r\n',
    ),
  ),
  toGet('chunks that look like ends', reply('200 OK', [CHUNKED], '5\r\n0\r\n\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n')),
  toGet('the coding in another case', reply('200 OK', ['transfer-ENCODING:\tChunked '], '1\r\nx\r\n0\r\n\r\n')),
  toGet(
    'compressed content in chunks',
    reply('200 OK', ['Content-Encoding: gzip', 'Vary: Accept-Encoding', CHUNKED], '3\r\n\x1f\x8b\x08\r\n0\r\n\r\n'),
  ),
  toGet('an error in chunks', reply('500 Internal Server Error', [CHUNKED], '4\r\noops\r\n0\r\n\r\n')),

  // Up to the end of the connection.
  toGet('no framing', reply('200 OK', ['Content-Type: text/html'], '<html></html>')),
  toGet('no framing, and closed', reply('200 OK', ['Connection: close'], 'until the end')),
  toGet('no framing and no body', reply('200 OK', [])),
  toGet('HTTP/1.0 without framing', 'HTTP/1.0 200 OK\r\nServer: old\r\n\r\n0\r\n\r\nmore'),
  toGet('no framing, though keep-alive is claimed', reply('200 OK', ['Connection: keep-alive'], 'x')),
  toGet('a body that looks like a reply, up to the end', reply('200 OK', [], OK)),

  // Without a body.
  toGet('no content', reply('204 No Content', ['ETag: "x"'])),
  toGet('not modified', reply('304 Not Modified', ['ETag: "x"'])),
  toGet('not modified, with the length of what was not', reply('304 Not Modified', ['Content-Length: 500'])),
  toHead('the length of a body that does not come', reply('200 OK', ['Content-Length: 500'])),
  toHead('the coding of a body that does not come', reply('200 OK', [CHUNKED])),
  toHead('nothing said about a body', reply('200 OK', ['Content-Type: text/html'])),
  toHead('not found', reply('404 Not Found', ['Content-Length: 9'])),
  toHead('no content to HEAD', reply('204 No Content', [])),
  toHead('not modified to HEAD', reply('304 Not Modified', [CHUNKED])),

  // After interim replies.
  toGet('continue', CONTINUE + OK),
  toGet('early hints', EARLY_HINTS + OK),
  toGet('processing, twice', reply('102 Processing', []) + reply('102 ', []) + OK),
  toGet('continue, hints, chunks', CONTINUE + EARLY_HINTS + reply('200 OK', [CHUNKED], '2\r\nhi\r\n0\r\nX: y\r\n\r\n')),
  toGet('continue, and no content', CONTINUE + reply('204 No Content', [])),
  toGet('hints, and up to the end', EARLY_HINTS + reply('200 OK', [], 'to the end')),
  toHead('hints before a reply to HEAD', EARLY_HINTS + reply('200 OK', ['Content-Length: 9'])),
];
