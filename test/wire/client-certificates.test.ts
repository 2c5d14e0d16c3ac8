import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { testAuthority, testCertificate } from '../support/certificates.ts';
import type { WireClient } from '../support/client.ts';
import { ok } from '../support/upstream.ts';
import { runWire, type WireOptions, wire } from '../support/wire.ts';

const { ca } = testAuthority();
const shows = (name: 'alice' | 'mallory' | 'expired'): ConnectionOptions => {
  const { cert, key } = testCertificate(name);
  return { cert, key };
};

const REQUIRED: WireOptions = { secure: true, clientCertificates: { ca, required: true }, clientTls: shows('alice') };
const OPTIONAL: WireOptions = { secure: true, clientCertificates: { ca, required: false } };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';

/** RFC 4514, the bytes of other characters than ASCII in hexadecimal. */
const ALICE = 'CN=\\C3\\84lice,O=Acme\\, Inc.,C=SE';

wire('the upstream hears whose certificate it was', REQUIRED, async ({ client, upstream }) => {
  upstream.answerAll((request) => ok(request.fields.get('x-client-cert-subject') ?? 'none'));
  for (let turn = 0; turn < 2; turn++) {
    await client.send(`${GET}\r\n`);
    await client.expectReply({ status: 200, body: ALICE });
  }
});

wire('who may come without a certificate is nobody, whatever it claims', OPTIONAL, async ({ client, upstream }) => {
  upstream.answerAll((request) => ok(request.fields.get('x-client-cert-subject') ?? 'none'));
  for (const claim of ['', 'X-Client-Cert-Subject: CN=admin\r\n', 'x-client-CERT-subject: CN=admin\r\n']) {
    await client.send(`${GET}${claim}\r\n`);
    await client.expectReply({ status: 200, body: 'none' });
  }
  const alice = await client.connect({ tls: shows('alice') });
  await alice.send(`${GET}X-Client-Cert-Subject: CN=admin\r\n\r\n`);
  await alice.expectReply({ status: 200, body: ALICE });
});

wire('a claim in a trailer is dropped too', OPTIONAL, async ({ client, upstream }) => {
  upstream.answerAll(({ trailers }) => ok(trailers.get('x-client-cert-subject') ?? 'none'));
  await client.send(
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Client-Cert-Subject: CN=admin\r\n\r\n`,
  );
  await client.expectReply({ status: 200, body: 'none' });
});

/** In TLS 1.3 a request can go out with the last bytes of the handshake, before its end is known to the client. */
async function expectRefused(client: WireClient, tls: ConnectionOptions): Promise<void> {
  const refused = await client.connect({ tls }).catch(() => null);
  if (refused === null) return;
  refused.socket.write(`${GET}\r\n`);
  const heard = await refused.expectClosedAfter();
  assert.equal(heard.toString('latin1'), '', 'an answer to a client that was refused');
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const { why, tls, options } of [
    { why: 'none, where one is required', tls: {}, options: REQUIRED },
    { why: 'of an authority that nobody knows', tls: shows('mallory'), options: REQUIRED },
    { why: 'of an authority that nobody knows, where none would do', tls: shows('mallory'), options: OPTIONAL },
    { why: 'that has expired', tls: shows('expired'), options: REQUIRED },
    { why: 'that has expired, where none would do', tls: shows('expired'), options: OPTIONAL },
  ]) {
    test(`${version}: a client is refused with a certificate ${why}`, () =>
      runWire(options, async ({ client, upstream }) => {
        await expectRefused(client, { ...tls, minVersion: version, maxVersion: version });
        assert.equal(upstream.connectionCount, 0);
        upstream.answerAll(() => ok('served'));
        await client.send(`${GET}\r\n`);
        await client.expectReply({ body: 'served' });
      }));
  }
}

wire('a session says whose it is when it is resumed', REQUIRED, async ({ client, upstream }) => {
  upstream.answerAll((request) => ok(request.fields.get('x-client-cert-subject') ?? 'none'));
  const ticket = once(client.socket, 'session') as Promise<[Buffer]>;
  await client.send(`${GET}\r\n`);
  await client.expectStatus(200);
  const [session] = await ticket;
  const again = await client.connect({ tls: { ...shows('alice'), session } });
  assert.ok((again.socket as TLSSocket).isSessionReused());
  await again.send(`${GET}\r\n`);
  await again.expectReply({ status: 200, body: ALICE });
});
