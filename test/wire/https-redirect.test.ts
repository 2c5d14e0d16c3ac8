import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok } from '../support/upstream.ts';
import { runWire, type WireOptions, wire } from '../support/wire.ts';

const REDIRECTS: WireOptions = { secure: false, server: { http_to_https: 8443 } };

/** A gateway that has a listener for HTTPS of its own, as a redirect wants. */
const redirecting = (server: object): WireOptions => ({ secure: false, server: { ...REDIRECTS.server, ...server } });

for (const { why, head, location, port } of [
  { why: 'path and query stay', head: 'GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\n', location: '/a/b?c=d' },
  { why: 'the port of HTTP goes', head: 'GET / HTTP/1.1\r\nHost: a.example:8080\r\n', location: '/' },
  { why: 'the path is in its normal form', head: 'GET /x/../y//z HTTP/1.1\r\nHost: a.example\r\n', location: '/y/z' },
  { why: 'the authority of the target counts', head: 'GET http://a.example/ HTTP/1.1\r\nHost: b\r\n', location: '/' },
  { why: '443 needs no mention', head: 'GET /p HTTP/1.1\r\nHost: a.example\r\n', location: '/p', port: 443 },
]) {
  test(`plain HTTP is sent to HTTPS: ${why}`, () =>
    runWire(redirecting({ http_to_https: port ?? 8443 }), async ({ client, upstream }) => {
      await client.send(`${head}\r\n`);
      const authority = port === 443 ? 'a.example' : 'a.example:8443';
      await client.expectReply({ status: 308, headers: { location: `https://${authority}${location}` }, body: '' });
      upstream.expectNoConnection();
    }));
}

wire('a redirect keeps the connection, HEAD has no body either, and an upload ends it', REDIRECTS, async (context) => {
  const { client, upstream } = context;
  await client.send('HEAD / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n');
  await client.expectReply({ status: 308, headers: { location: 'https://[::1]:8443/' }, toHead: true });
  await client.send('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
  await client.expectReply({ status: 308, headers: { location: 'https://a:8443/up', connection: 'close' } });
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('who names no host cannot be sent anywhere', REDIRECTS, async ({ client, upstream }) => {
  await client.send('GET / HTTP/1.0\r\n\r\n');
  await client.expectStatus(400);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('no header can be written through the redirect', REDIRECTS, async ({ client, upstream }) => {
  await client.send('GET /%0d%0aX: HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.expectStatus(400);
  upstream.expectNoConnection();
});

const BEHIND: WireOptions = redirecting({ trusted_proxies: ['127.0.0.1'] });

wire('what came over TLS to a trusted proxy is served', BEHIND, async ({ client, upstream }) => {
  upstream.answerAll(() => ok('served'));
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\r\n');
  await client.expectReply({ status: 200, body: 'served' });
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\n\r\n');
  await client.expectStatus(308);
});

wire('nobody else may say that it came over TLS', REDIRECTS, async ({ client, upstream }) => {
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\r\n');
  await client.expectStatus(308);
  upstream.expectNoConnection();
});

test('what comes over TLS is served', () =>
  runWire({ ...REDIRECTS, secure: true }, async ({ client, upstream }) => {
    upstream.answerAll(() => ok('served'));
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { status } = await client.expectReply();
    assert.equal(status, 200);
  }));
