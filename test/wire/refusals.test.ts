import assert from 'node:assert/strict';
import { ok } from '../support/upstream.ts';
import { type WireOptions, wire } from '../support/wire.ts';

/**
 * Requests that the gateway must not pass on. Each is sent on a connection of its own; the reply must have the right
 * status, the connection must be closed after it, and the upstream must not have seen as much as a connection.
 */
interface Refused {
  readonly why: string;
  readonly sent: string;
}

function refused(status: number, requests: readonly Refused[], options: WireOptions = {}): void {
  for (const { why, sent } of requests) {
    wire(`${status} and closed: ${why}`, options, async ({ client, upstream }) => {
      await client.send(sent);
      const reply = await client.expectStatus(status);
      assert.equal(reply.version, 'HTTP/1.1');
      assert.equal(reply.fields.get('connection')?.toLowerCase(), 'close');
      await client.expectClosed();
      upstream.expectNoConnection();
    });
  }
}

const post = (...lines: string[]) => `POST /x HTTP/1.1\r\nHost: a.example\r\n${lines.join('\r\n')}\r\n\r\n`;
const get = (...lines: string[]) => `GET /x HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
const target = (text: string) => `GET ${text} HTTP/1.1\r\nHost: a.example\r\n\r\n`;

refused(400, [
  { why: 'a request line that ends in a bare LF', sent: 'GET / HTTP/1.1\nHost: a.example\r\n\r\n' },
  { why: 'a field line that ends in a bare LF', sent: get('Host: a.example', 'X-A: 1\nX-B: 2') },
  { why: 'a head that ends in a bare LF', sent: 'GET / HTTP/1.1\r\nHost: a.example\r\n\n' },
  { why: 'a bare CR in a field value', sent: get('Host: a.example', 'X-A: 1\rX-B: 2') },
  { why: 'a bare CR in the request line', sent: 'GET /\r HTTP/1.1\r\nHost: a.example\r\n\r\n' },
  { why: 'a request line that ends in a bare CR', sent: 'GET / HTTP/1.1\rHost: a.example\r\n\r\n' },
  { why: 'a field line that ends in a bare CR', sent: get('Host: a.example', 'X-A: 1\rContent-Length: 4') },
  { why: 'a field line that ends in CR CR LF', sent: get('Host: a.example\r', 'X-A: 1') },
  { why: 'a head that ends in LF CR LF', sent: 'GET / HTTP/1.1\r\nHost: a.example\n\r\n' },
  { why: 'a NUL in the method', sent: 'G\x00T / HTTP/1.1\r\nHost: a.example\r\n\r\n' },
  { why: 'a NUL in a field name', sent: get('Host: a.example', 'X\x00A: 1') },
  { why: 'a NUL in Host', sent: get('Host: a.example\x00.b') },
  { why: 'a NUL in a field value', sent: get('Host: a.example', 'X-A: 1\x002') },
  { why: 'a control byte in a field value', sent: get('Host: a.example', 'X-A: 1\x012') },
  { why: 'a DEL in a field value', sent: get('Host: a.example', 'X-A: 1\x7f2') },
  { why: 'a space before the colon', sent: get('Host: a.example', 'X-A : 1') },
  { why: 'a space before the colon of Host', sent: get('Host : a.example') },
  { why: 'a tab before the colon', sent: get('Host: a.example', 'X-A\t: 1') },
  { why: 'a space before the colon of a length', sent: `${post('Content-Length : 4')}abcd` },
  { why: 'a space before the colon of a coding', sent: `${post('Transfer-Encoding : chunked')}0\r\n\r\n` },
  { why: 'a line folded with a tab', sent: get('Host: a.example', 'X-A: 1', '\t2') },
  { why: 'a folded coding', sent: `${post('Transfer-Encoding:', ' chunked')}0\r\n\r\n` },
  { why: 'a folded field line', sent: get('Host: a.example', 'X-A: 1', ' 2') },
  { why: 'white space before the first field', sent: get(' X-A: 1', 'Host: a.example') },
  { why: 'a field line without a colon', sent: get('Host: a.example', 'X-A') },
  { why: 'a field without a name', sent: get('Host: a.example', ': 1') },
  { why: 'a field name that is not a token', sent: get('Host: a.example', 'X(A): 1') },
  { why: 'a field name with a byte above ASCII', sent: get('Host: a.example', 'X\xe4: 1') },
]);

refused(400, [
  { why: 'no Host in HTTP/1.1', sent: get('X-A: 1') },
  { why: 'two Host fields', sent: get('Host: a.example', 'Host: b.example') },
  { why: 'two equal Host fields', sent: get('Host: a.example', 'Host: a.example') },
  { why: 'a space in Host', sent: get('Host: a.example b.example') },
  { why: 'a list as Host', sent: get('Host: a.example, b.example') },
  { why: 'a path in Host', sent: get('Host: a.example/x') },
  { why: 'user information in Host', sent: get('Host: user@a.example') },
  { why: 'a port in Host that is no number', sent: get('Host: a.example:http') },
  { why: 'an open bracket in Host', sent: get('Host: [::1') },
  { why: 'a quote in Host', sent: get('Host: a"example') },
  { why: 'a byte above ASCII in Host', sent: get('Host: \xe4.example') },
  { why: 'a port in Host that is none', sent: get('Host: a.example:99999') },
  { why: 'a backslash in Host', sent: get('Host: a.example\\b.example') },
  { why: 'an absolute target of another host, and no Host', sent: 'GET http://b.example/ HTTP/1.1\r\n\r\n' },
  {
    why: 'an absolute target, and two Host fields',
    sent: 'GET http://b.example/ HTTP/1.1\r\nHost: a\r\nHost: b.example\r\n\r\n',
  },
]);

refused(400, [
  { why: 'two spaces in the request line', sent: 'GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n' },
  { why: 'a tab in the request line', sent: 'GET\t/ HTTP/1.1\r\nHost: a.example\r\n\r\n' },
  { why: 'no version', sent: 'GET /\r\nHost: a.example\r\n\r\n' },
  { why: 'a request of HTTP/0.9', sent: 'GET /\r\n\r\n' },
  { why: 'something after the version', sent: 'GET / HTTP/1.1 x\r\nHost: a.example\r\n\r\n' },
  { why: 'a version in lower case', sent: 'GET / http/1.1\r\nHost: a.example\r\n\r\n' },
  { why: 'a version of another protocol', sent: 'GET / RTSP/1.0\r\nHost: a.example\r\n\r\n' },
  { why: 'a version with two minor digits', sent: 'GET / HTTP/1.10\r\nHost: a.example\r\n\r\n' },
  { why: 'a method that is not a token', sent: 'G@T / HTTP/1.1\r\nHost: a.example\r\n\r\n' },
  { why: 'a TLS hello on the plain port', sent: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n' },
]);

refused(400, [
  { why: 'an encoded NUL in the path', sent: target('/a%00b') },
  { why: 'a backslash in the path', sent: target('/a\\..\\b') },
  { why: 'an encoded backslash in the path', sent: target('/a%5c..%5cb') },
  { why: 'a control byte in the path', sent: target('/a\x01b') },
  { why: 'an encoded control byte in the path', sent: target('/a%0ab') },
  { why: 'a percent sign without two digits', sent: target('/a%zzb') },
  { why: 'a percent sign at the end of the path', sent: target('/a%4') },
  { why: 'a step above the root', sent: target('/../a') },
  { why: 'an encoded step above the root', sent: target('/a/%2e%2e/%2E%2e/b') },
  { why: 'a step up between encoded slashes, which others decode', sent: target('/a%2f..%2fb') },
  { why: 'a fragment', sent: target('/a#b') },
  { why: 'a NUL in the path', sent: target('/a\x00b') },
  { why: 'a byte above ASCII in the path', sent: target('/caf\xe9') },
  { why: 'a letter outside ASCII, in UTF-8, in the path', sent: target('/caf\xc3\xa9') },
  { why: 'a byte above ASCII in the query', sent: target('/a?b=\xe9') },
  { why: 'a control byte in the query', sent: target('/a?b=\x01') },
  { why: 'a target that does not start with a slash', sent: target('a/b') },
  { why: 'an asterisk with another method than OPTIONS', sent: target('*') },
  { why: 'an authority as target with another method than CONNECT', sent: target('a.example:80') },
  { why: 'an absolute target with user information', sent: target('http://user@a.example/') },
  { why: 'an absolute target without a host', sent: target('http:///x') },
]);

refused(400, [
  {
    why: 'Content-Length and Transfer-Encoding',
    sent: 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  {
    why: 'Transfer-Encoding and Content-Length',
    sent: 'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
  },
  { why: 'two different lengths', sent: `${post('Content-Length: 4', 'Content-Length: 5')}abcd` },
  { why: 'the same length twice', sent: `${post('Content-Length: 4', 'Content-Length: 4')}abcd` },
  { why: 'a list of lengths', sent: `${post('Content-Length: 4, 4')}abcd` },
  { why: 'a list of different lengths', sent: `${post('Content-Length: 4, 5')}abcde` },
  { why: 'a list of lengths with an empty member', sent: `${post('Content-Length: 4,')}abcd` },
  { why: 'two lengths in two cases of the name', sent: `${post('Content-Length: 4', 'CONTENT-LENGTH: 0')}abcd` },
  { why: 'a length with an underscore', sent: `${post('Content-Length: 1_0')}0123456789` },
  { why: 'a length of a thousand digits', sent: `${post(`Content-Length: ${'9'.repeat(1000)}`)}abcd` },
  { why: 'a length with a sign', sent: `${post('Content-Length: +4')}abcd` },
  { why: 'a negative length', sent: `${post('Content-Length: -4')}abcd` },
  { why: 'a length in hexadecimal', sent: `${post('Content-Length: 0x4')}abcd` },
  { why: 'a length with an exponent', sent: `${post('Content-Length: 4e0')}abcd` },
  { why: 'a length with a fraction', sent: `${post('Content-Length: 4.0')}abcd` },
  { why: 'a length with a space inside', sent: `${post('Content-Length: 4 4')}abcd` },
  { why: 'an empty length', sent: `${post('Content-Length:')}abcd` },
  { why: 'a length in digits that are not ASCII', sent: `${post('Content-Length: \xb2')}abcd` },
  { why: 'chunked twice', sent: `${post('Transfer-Encoding: chunked, chunked')}0\r\n\r\n` },
  { why: 'chunked, but not last', sent: `${post('Transfer-Encoding: chunked, gzip')}0\r\n\r\n` },
  { why: 'chunked before identity', sent: `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n` },
  { why: 'chunked on two lines', sent: `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n` },
  {
    why: 'chunked in HTTP/1.0',
    sent: 'POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
]);

refused(405, [
  { why: 'CONNECT', sent: 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n' },
  { why: 'TRACE', sent: 'TRACE / HTTP/1.1\r\nHost: a.example\r\n\r\n' },
]);

refused(417, [
  { why: 'an unknown expectation', sent: post('Expect: the-unexpected', 'Content-Length: 4') },
  { why: 'an unknown expectation beside a known one', sent: post('Expect: 100-continue, x', 'Content-Length: 4') },
]);

refused(501, [
  { why: 'a transfer coding that is not known', sent: post('Transfer-Encoding: gzip, chunked') },
  { why: 'a transfer coding that looks like chunked', sent: post('Transfer-Encoding: xchunked') },
  { why: 'identity, which is no transfer coding any more', sent: post('Transfer-Encoding: identity') },
  { why: 'a transfer coding alone that is not chunked', sent: post('Transfer-Encoding: gzip') },
  { why: 'chunked with a parameter', sent: post('Transfer-Encoding: chunked;q=1') },
  { why: 'chunked in quotes', sent: post('Transfer-Encoding: "chunked"') },
  { why: 'an empty transfer coding', sent: post('Transfer-Encoding:') },
]);

refused(505, [
  { why: 'the preface of HTTP/2', sent: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  {
    why: 'the preface of HTTP/2 with its first frame',
    sent: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00',
  },
  { why: 'HTTP/2.0', sent: 'GET / HTTP/2.0\r\nHost: a.example\r\n\r\n' },
  { why: 'HTTP/3.0', sent: 'GET / HTTP/3.0\r\nHost: a.example\r\n\r\n' },
  { why: 'HTTP/0.9 with a version', sent: 'GET / HTTP/0.9\r\nHost: a.example\r\n\r\n' },
]);

for (const method of ['CONNECT', 'TRACE']) {
  wire(`the refusal of ${method} names the methods that may be used`, async ({ client }) => {
    const authority = method === 'CONNECT' ? 'a.example:443' : '/';
    await client.send(`${method} ${authority} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
    await client.expectReply({ status: 405, headers: { allow: /\bGET\b/ } });
  });
}

wire('a message that is refused is refused also when it comes byte by byte', async ({ client, upstream }) => {
  await client.sendBytewise('GET / HTTP/1.1\r\nHost: a.example\r\nX-A : 1\r\n\r\n');
  await client.expectStatus(400);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('nothing that follows a refused message is looked at', async ({ client, upstream }) => {
  await client.send(
    `${post('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
  );
  await client.expectStatus(400);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire(
  'a wrong method is 405 with Allow, and the connection stays',
  { routes: [{ methods: ['GET', 'POST'] }] },
  async ({ client, upstream }) => {
    await client.send('DELETE /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
    const { fields } = await client.expectStatus(405);
    const allowed = new Set((fields.get('allow') ?? '').split(/\s*,\s*/));
    assert.ok(allowed.has('GET') && allowed.has('POST') && allowed.has('HEAD'), `Allow: ${fields.get('allow')}`);
    assert.ok(!allowed.has('DELETE'));
    upstream.answerAll(() => ok('yes'));
    await client.send('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await client.expectReply({ status: 200, body: 'yes' });
  },
);

wire('a route for GET answers HEAD too', { routes: [{ methods: ['GET'] }] }, async ({ client, upstream }) => {
  upstream.answerAll(({ method }) => {
    assert.equal(method, 'HEAD');
    return 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n';
  });
  await client.send('HEAD /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.expectReply({ status: 200, toHead: true, headers: { 'content-length': '7' } });
});

wire('no route is 404, and the connection stays', { routes: [{ path: '/here' }] }, async ({ client, upstream }) => {
  await client.send('GET /nowhere HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.expectStatus(404);
  upstream.answerAll(() => ok('yes'));
  await client.send('GET /here HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.expectReply({ status: 200, body: 'yes' });
});

wire(
  'a route of another host is no route',
  { routes: [{ host: 'internal.example' }] },
  async ({ client, upstream }) => {
    await client.send('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await client.expectStatus(404);
    upstream.expectNoConnection();
  },
);

wire(
  'the body of a request without a route does not become the next request',
  { routes: [{ path: '/here' }] },
  async ({ client, upstream }) => {
    const smuggled = 'GET /here HTTP/1.1\r\nHost: a.example\r\n\r\n';
    await client.send(
      `POST /nowhere HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    );
    await client.expectStatus(404);
    // The connection may be closed, or the body read and thrown away: it must not be answered.
    if (client.inbox.ending === null) await client.send('GET /elsewhere HTTP/1.1\r\nHost: a.example\r\n\r\n');
    const rest = await client.inbox.until(
      'a close or the next 404',
      () =>
        client.inbox.ending !== null || client.inbox.length > 0 ? client.inbox.bytes.toString('latin1') : undefined,
      { evenAfterEnd: true },
    );
    assert.match(rest, /^(HTTP\/1\.1 404 .*)?$/s);
    upstream.expectNoConnection();
  },
);

wire(
  'a refusal before the request body is here announces the close',
  { routes: [{ path: '/here' }] },
  async ({ client }) => {
    await client.send('POST /nowhere HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nabcd');
    await client.expectReply({ status: 404, headers: { connection: 'close' } });
    await client.expectClosed();
  },
);

wire('OPTIONS * is answered by the gateway: 204 with Allow', async ({ client, upstream }) => {
  await client.send('OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.expectReply({
    status: 204,
    headers: { allow: /\bGET\b.*\bPOST\b/, 'content-length': null, 'transfer-encoding': null, 'x-request-id': /./ },
  });
  await client.send('OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.expectStatus(204);
  upstream.expectNoConnection();
});

wire('OPTIONS of a path goes to the upstream', async ({ client, upstream }) => {
  upstream.answerAll(({ method, target: path }) => ok(`${method} ${path}`));
  await client.send('OPTIONS /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.expectReply({ status: 200, body: 'OPTIONS /x' });
});
