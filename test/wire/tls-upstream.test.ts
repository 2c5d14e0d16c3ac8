import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TLSSocket, TLSSocketOptions } from 'node:tls';
import { testAuthority, testCertificate } from '../support/certificates.ts';
import { eventually } from '../support/guard.ts';
import { ok } from '../support/upstream.ts';
import { runWire, type WireOptions, wire } from '../support/wire.ts';

const { ca, caFile } = testAuthority();
const SERVER = testCertificate('upstream');
const ALICE = testCertificate('alice');
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** As the upstream's certificate wants it: known authority, right name. */
const TRUSTED = { tls: true, tls_ca: caFile, sni_hostname: 'api.internal' };

const SECURE: WireOptions = { upstreamTls: { ...SERVER, ALPNProtocols: ['h2', 'http/1.1'] }, upstream: TRUSTED };

wire('requests and replies go through TLS, one after the other on one connection', SECURE, async (context) => {
  const { client, upstream } = context;
  upstream.answerAll((request) => ok(`${request.method} ${request.target} ${request.body}`));
  for (const turn of [1, 2, 3]) {
    await client.send(`GET /${turn} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.expectReply({ status: 200, body: `GET /${turn} ` });
  }
  await client.send('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
  await client.expectReply({ status: 200, body: 'POST /p hello' });
  assert.equal(upstream.connectionCount, 1);
});

wire('nothing is said to the upstream before it has been verified', SECURE, async ({ client, upstream }) => {
  const body = 'x'.repeat(300_000);
  await client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const connection = await upstream.accept();
  const socket = connection.socket as TLSSocket;
  await connection.expectRequest({ method: 'PUT', body });
  assert.equal(socket.servername, 'api.internal');
  assert.equal(socket.alpnProtocol, 'http/1.1');
  await connection.send(ok('y'.repeat(300_000)));
  await client.expectReply({ status: 200, body: /^y{300000}$/ });
});

wire('a reply in pieces, with trailers, streams through', SECURE, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
  await eventually(
    'the first piece',
    () => client.inbox.bytes.includes('first'),
    () => client.inbox.describe(),
  );
  await connection.send('6\r\nsecond\r\n0\r\nX-Sum: 1\r\n\r\n');
  await client.expectReply({ body: 'firstsecond', trailers: { 'x-sum': '1' } });
});

wire('the end of TLS ends a reply that has no length', SECURE, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send('HTTP/1.1 200 OK\r\n\r\nto the end');
  connection.end();
  await client.expectReply({ status: 200, body: 'to the end' });
});

// RFC 9112 9.8: without close_notify anybody on the way could have cut it.
wire('a reply without length that is cut below TLS is not taken for whole', SECURE, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send('HTTP/1.1 200 OK\r\n\r\nto the e');
  await eventually(
    'the reply to begin',
    () => client.inbox.bytes.includes('to the e'),
    () => client.inbox.describe(),
  );
  connection.reset();
  await client.expectTruncatedReply(200);
});

for (const { why, upstreamTls, upstream, reason } of [
  {
    why: 'a certificate of an authority that is not trusted',
    upstreamTls: SERVER,
    upstream: { tls: true, sni_hostname: 'api.internal' },
    reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  },
  {
    why: 'a certificate that it made itself',
    upstreamTls: testCertificate('localhost'),
    upstream: { tls: true, sni_hostname: 'localhost' },
    reason: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  },
  {
    why: 'a certificate for another name',
    upstreamTls: SERVER,
    upstream: { ...TRUSTED, sni_hostname: 'other.internal' },
    reason: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    why: 'a certificate for another address',
    upstreamTls: SERVER,
    upstream: { tls: true, tls_ca: caFile },
    reason: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    why: 'a version of TLS that is too old',
    upstreamTls: { ...SERVER, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const,
    upstream: TRUSTED,
    reason: 'ERR_SSL_',
  },
] satisfies readonly { why: string; upstreamTls: TLSSocketOptions; upstream: object; reason: string }[]) {
  test(`an upstream with ${why} is sent nothing: 502, and the log says why`, () =>
    runWire({ upstreamTls, upstream }, async (context) => {
      await context.client.send(GET);
      const { body } = await context.client.expectReply({ status: 502 });
      assert.match(body, /"urn:photon:error:upstream_tls_failed"/);
      const connection = await context.upstream.accept();
      assert.equal(connection.inbox.length, 0, 'bytes of a request');
      const lines = context.gateway.logLines.filter((line) => line.startsWith('warn upstream-tls-failed'));
      assert.equal(lines.length, 1);
      assert.ok(lines.join().includes(reason), lines.join());
    }));
}

const UNVERIFIED: WireOptions = {
  upstreamTls: testCertificate('localhost'),
  upstream: { tls: true, tls_verify: false },
};

wire('an upstream that need not be verified may show anything', UNVERIFIED, async ({ client, upstream }) => {
  upstream.answerAll(() => ok('anything'));
  await client.send(GET);
  await client.expectReply({ status: 200, body: 'anything' });
});

const MUTUAL: WireOptions = {
  upstreamTls: { ...SERVER, ca, requestCert: true, rejectUnauthorized: true },
  upstream: { ...TRUSTED, tls_cert: ALICE.certFile, tls_key: ALICE.keyFile },
};

const subjectOf = (socket: TLSSocket) => String(socket.getPeerCertificate().subject.CN);

wire('an upstream that asks for a certificate gets ours', MUTUAL, async ({ client, upstream }) => {
  upstream.answerAll((_request, { socket }) => ok(subjectOf(socket as TLSSocket)));
  await client.send(GET);
  await client.expectReply({ status: 200, body: 'Älice' });
});

const ROTTEN: WireOptions = { upstream: TRUSTED, routes: [{ retries: 0 }] };

wire('an upstream that speaks no TLS is a 502', ROTTEN, async ({ client, upstream, gateway }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  await client.expectStatus(502);
  assert.match(gateway.logLines.join('\n'), /upstream-tls-failed.*ERR_SSL/);
});

wire('a handshake that does not come to its end is a 504', ROTTEN, async ({ client, upstream, clock }) => {
  await client.send(GET);
  await upstream.accept();
  await clock.advance(6000);
  const { body } = await client.expectReply({ status: 504 });
  assert.match(body, /upstream_connect_timeout/);
});

wire('a client that vanishes during the handshake leaves nothing behind', ROTTEN, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  client.reset();
  await connection.expectClosedAfter();
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const options = { upstreamTls: { ...SERVER, minVersion: version, maxVersion: version }, upstream: TRUSTED };
  test(`${version}: a connection that follows another resumes its session`, () =>
    runWire(options, async ({ client, upstream }) => {
      const resumed: boolean[] = [];
      upstream.answerAll((_request, { socket }) => {
        resumed.push((socket as TLSSocket).isSessionReused());
        return ok('', 'Connection: close');
      });
      for (let turn = 0; turn < 3; turn++) {
        await client.send(GET);
        await client.expectStatus(200);
      }
      assert.equal(upstream.connectionCount, 3);
      assert.deepEqual(resumed, [false, true, true]);
    }));
}
