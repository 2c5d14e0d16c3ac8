/**
 * Valid requests, alone and in a row, that the others are made of by small changes. Each is read by Photon and by node:http,
 * whole and to its last byte.
 */

export interface ValidRequests {
  readonly why: string;
  /** One character a byte. */
  readonly text: string;
  /** How many requests it is. */
  readonly count: number;
}

const one = (why: string, text: string): ValidRequests => ({ why, text, count: 1 });
const row = (why: string, ...texts: readonly string[]): ValidRequests => ({
  why,
  text: texts.join(''),
  count: texts.length,
});

/** A head with Host, and what follows it. */
const message = (line: string, fields: readonly string[], body = ''): string =>
  `${line} HTTP/1.1\r\n${['Host: a.example', ...fields].join('\r\n')}\r\n\r\n${body}`;

const MULTIPART = '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nxy\r\n--b--\r\n';
const CHUNKED = 'Transfer-Encoding: chunked';
const GET = message('GET /first?x=1', []);
const POST = message('POST /second', ['Content-Length: 5'], 'hello');
const CHUNKS = message('PUT /third', [CHUNKED], '3\r\nabc\r\n0\r\n\r\n');
const TRAILED = message('PATCH /fourth', [CHUNKED, 'Trailer: X-Sum'], '2\r\nhi\r\n0\r\nX-Sum: 9\r\n\r\n');
const LAST = message('DELETE /last', ['Connection: close']);

export const VALID_REQUESTS: readonly ValidRequests[] = [
  // Without a body.
  one('an ordinary request', message('GET /a/b?c=d', ['Accept: */*', 'Cookie: a=b; c=d'])),
  one('no fields but Host', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  one('HEAD', message('HEAD /', ['Accept: text/html'])),
  one('OPTIONS for the server', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'),
  one('DELETE', message('DELETE /item/1', ['If-Match: "abc"'])),
  one('TRACE', message('TRACE /', ['Max-Forwards: 0'])),
  one('a WebDAV method', message('PROPFIND /dav/', ['Depth: 1', 'Content-Length: 0'])),
  one('PURGE, as caches know it', message('PURGE /stale', [])),
  one('a method with a dash', message('M-SEARCH /', ['MAN: "ssdp:discover"'])),
  one('HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'),
  one('HTTP/1.0 that persists', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'),
  one('absolute-form', message('GET http://a.example/x', ['Proxy-Connection: keep-alive'])),
  one('one empty line before it', `\r\n${GET}`),
  one('a port in Host', 'GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n'),
  one('an IPv6 address in Host', 'GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n'),
  one('an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  one('blanks around values', message('GET /', ['A:1', 'B: \t 2', 'C: 3 \t', 'D: 4 \t 4 ', 'E: \t ', 'F:'])),
  one('all token characters', message('GET /', ["!#$%&'*+-.^_`|~09azAZ: v"])),
  one('obs-text', message('GET /', ['X-Name: caf\xc3\xa9 \xff\x80'])),
  one('delimiters in a value', message('GET /', ['X: ():<>@,;\\"/[]?={}', 'Y: a:b:c'])),
  one('the same name many times', message('GET /', ['X: 1', 'x: 2', 'X: 3', 'Via: 1.1 a', 'Via: 1.0 b'])),
  one('a long value', message('GET /', [`Cookie: ${'session=0123456789abcdef; '.repeat(30)}`])),
  one(
    'many fields',
    message(
      'GET /',
      Array.from({ length: 60 }, (_none, at) => `X-${at}: ${at}`),
    ),
  ),
  one('percent-encodings', message('GET /%41%2F%c3%a9?q=%20%26', [])),
  one('everything visible in the target', message(`GET /!$&'()*+,;=:@-._~?"<>^\`{|}\\[]`, [])),
  one(
    'Upgrade that nobody takes',
    message('GET /', ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AA']),
  ),
  one('an empty member in Connection', message('GET /', ['Connection: , ,close ,,'])),
  one('Connection names a field', message('GET /', ['Connection: X-Hop, keep-alive', 'X-Hop: 1'])),
  one('GET with a length of 0', message('GET /', ['Content-Length: 0'])),

  // With a length.
  one('a body', message('POST /', ['Content-Length: 11'], 'hello world')),
  one('a length with zeros before it', message('POST /', ['Content-Length: 0000000005'], 'hello')),
  one('names in lower case', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi'),
  one('names in upper case', 'PUT / HTTP/1.1\r\nHOST: a\r\nCONTENT-LENGTH:2\r\nCONNECTION: CLOSE\r\n\r\nhi'),
  one('GET with a body', message('GET /search', ['Content-Length: 2', 'Content-Type: application/json'], '{}')),
  one('DELETE with a body', message('DELETE /', ['Content-Length: 3'], 'abc')),
  one('a body that looks like a request', message('POST /', [`Content-Length: ${GET.length}`], GET)),
  one('a body that looks like chunks', message('POST /', ['Content-Length: 15'], '5\r\nhello\r\n0\r\n\r\n')),
  one(
    'a body of all bytes',
    message(
      'PUT /',
      ['Content-Length: 256'],
      Buffer.from(Array.from({ length: 256 }, (_none, at) => at)).toString('latin1'),
    ),
  ),
  one('a body after 100-continue', message('POST /', ['Expect: 100-continue', 'Content-Length: 2'], 'hi')),
  one('HTTP/1.0 with a body', 'POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi'),
  one('blanks around the length', message('POST /', ['Content-Length: \t 2 \t'], 'hi')),
  one(
    'a form',
    message('POST /form', ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 7'], 'a=b&c=d'),
  ),
  one(
    'a multipart body',
    message(
      'POST /up',
      ['Content-Type: multipart/form-data; boundary=b', `Content-Length: ${MULTIPART.length}`],
      MULTIPART,
    ),
  ),

  // Chunked.
  one('no chunk but the last', message('POST /', [CHUNKED], '0\r\n\r\n')),
  one('two chunks', message('POST /', [CHUNKED], '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')),
  one('hex digits in both cases', message('POST /', [CHUNKED], `a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n`)),
  one('zeros before sizes', message('POST /', [CHUNKED], '0005\r\nhello\r\n0000\r\n\r\n')),
  one('an extension', message('POST /', [CHUNKED], '5;name=value\r\nhello\r\n0\r\n\r\n')),
  one('an extension without a value', message('POST /', [CHUNKED], '5;name\r\nhello\r\n0;last\r\n\r\n')),
  one('several extensions', message('POST /', [CHUNKED], '5;a=1;b=2;c\r\nhello\r\n0;d=3\r\n\r\n')),
  one('a quoted extension', message('POST /', [CHUNKED], '5;a="x y;z\\"q"\r\nhello\r\n0\r\n\r\n')),
  one(
    'signed chunks',
    message(
      'PUT /bucket/key',
      [CHUNKED, 'x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
      `2;chunk-signature=${'0f'.repeat(32)}\r\nhi\r\n0;chunk-signature=${'a1'.repeat(32)}\r\n\r\n`,
    ),
  ),
  one('chunks that look like ends', message('POST /', [CHUNKED], '5\r\n0\r\n\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n')),
  one('a trailer', message('POST /', [CHUNKED, 'Trailer: X-Sum'], '2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n')),
  one('several trailers', message('POST /', [CHUNKED], '0\r\nA: 1\r\nB:2\r\nC: \t3\t\r\nD:\r\n\r\n')),
  one(
    'extensions and trailers',
    message('PATCH /', [CHUNKED], '1;x\r\na\r\n1;y="z"\r\nb\r\n0;end\r\nDigest: sha-256=abc\r\n\r\n'),
  ),
  one('the coding in another case', message('POST /', ['transfer-encoding: \tCHUNKED '], '1\r\na\r\n0\r\n\r\n')),
  one('chunked after 100-continue', message('POST /', ['Expect: 100-continue', CHUNKED], '1\r\na\r\n0\r\n\r\n')),
  one('chunked, and then closed', message('POST /', ['Connection: close', CHUNKED], '1\r\na\r\n0\r\n\r\n')),
  one('GET with chunks', message('GET /', [CHUNKED], '1\r\na\r\n0\r\n\r\n')),
  one('many small chunks', message('POST /', [CHUNKED], `${'1\r\nx\r\n'.repeat(20)}0\r\n\r\n`)),
  one('TE and chunks', message('POST /', ['TE: trailers', 'Connection: TE', CHUNKED], '1\r\na\r\n0\r\n\r\n')),

  // In a row.
  row('two without bodies', GET, GET),
  row('a body between two without', GET, POST, GET),
  row('every framing, one after the other', GET, POST, CHUNKS, TRAILED, LAST),
  row('chunks and chunks', CHUNKS, CHUNKS, TRAILED),
  row('trailers, then a request', TRAILED, GET),
  row('a body, and the last', POST, LAST),
  row('an empty line after a body', POST, `\r\n${GET}`),
  row(
    'HTTP/1.0 that persists, and another',
    'GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n',
    'GET /b HTTP/1.0\r\n\r\n',
  ),
  row('a body that ends like a head, then a head', message('POST /', ['Content-Length: 4'], '\r\n\r\n'), GET),
];
