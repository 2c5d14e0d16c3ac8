import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { testCertificate } from '../support/certificates.ts';
import { type PhotonProcess, startPhoton, temporaryDirectory } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

const { certFile, keyFile, cert } = testCertificate('localhost');
const HTTPS = { https_addr: '127.0.0.1:0', tls_cert: certFile, tls_key: keyFile };

interface SecureReply {
  readonly status: number;
  readonly body: string;
}

/** One GET over TLS, with the certificate verified. */
function getSecure(port: number, path: string, agent: Agent): Promise<SecureReply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: 'localhost', port, path, ca: cert, agent, family: 4 }, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve({ status: response.statusCode ?? 0, body });
    });
    sent.once('error', reject);
    sent.end();
  });
}

function agentFor(t: TestContext): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return agent;
}

/** The port of the listener for HTTPS, which is the second one. */
async function securePort(photon: PhotonProcess): Promise<number> {
  const { address, scheme } = await photon.event('listening', 1);
  assert.equal(scheme, 'https');
  return Number(String(address).split(':').at(-1));
}

test('HTTPS serves beside HTTP, and the upstream hears which it was', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port, server: HTTPS });
  const port = await securePort(photon);
  const agent = agentFor(t);
  for (let turn = 0; turn < 3; turn++) {
    const reply = await getSecure(port, '/headers', agent);
    assert.equal(reply.status, 200);
    const headers = JSON.parse(reply.body) as Record<string, string>;
    assert.equal(headers['x-forwarded-proto'], 'https');
    assert.equal(headers['x-forwarded-port'], String(port));
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
  }
  const plain = JSON.parse((await get({ port: await photon.port() }, '/headers')).body) as Record<string, string>;
  assert.equal(plain['x-forwarded-proto'], 'http');
});

test('a redirect to HTTPS leads to the first listener that has a port', async (t) => {
  const unix = `unix:${join(temporaryDirectory(t), 'photon.sock')}`;
  const server = { ...HTTPS, https_addr: [unix, '127.0.0.1:0'], http_to_https: true };
  const photon = startPhoton(t, { upstreamPort: 9, server });
  const { address } = await photon.event('listening', 2);
  const sent = requestPlain({
    host: '127.0.0.1',
    port: await photon.port(),
    path: '/seven',
    headers: { Host: 'a.test' },
  });
  sent.end();
  const [{ headers }] = (await once(sent, 'response')) as [IncomingMessage];
  assert.equal(headers.location, `https://a.test:${String(address).split(':').at(-1)}/seven`);
  sent.destroy();
});

test('a drain finishes what runs over TLS, and ends with exit code 0', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port, server: HTTPS });
  const port = await securePort(photon);
  const running = getSecure(port, '/held', agentFor(t));
  const response = await upstream.holds();
  photon.kill('SIGTERM');
  await photon.event('draining');
  response.end('late');
  assert.equal((await running).body, 'late');
  assert.equal((await photon.ended).code, 0);
});

test('whoever speaks something else than TLS is cut off, and the others are served on', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port, server: HTTPS });
  const port = await securePort(photon);
  for (const bytes of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x16\x03\x01\xff\xff', '\0'.repeat(20_000)]) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.end(bytes, 'latin1');
    await once(socket, 'close');
  }
  assert.equal((await getSecure(port, '/', agentFor(t))).body, 'hello');
  assert.deepEqual(photon.events('internal-error'), []);
  assert.deepEqual(photon.events('worker-died'), []);
});

for (const { why, server, wanted } of [
  {
    why: 'a certificate that is not there',
    server: { ...HTTPS, tls_cert: '/nonexistent.crt' },
    wanted: /^photon: Cannot read server\.tls_cert \/nonexistent\.crt: ENOENT\n$/,
  },
  {
    why: 'a certificate that is none',
    server: { ...HTTPS, tls_cert: keyFile },
    wanted: /^photon: Cannot use server\.tls_cert .*localhost\.key: want a PEM certificate\n$/,
  },
  {
    why: 'a key that is none',
    server: { ...HTTPS, tls_key: certFile },
    wanted: /^photon: Cannot use server\.tls_key .*localhost\.crt: want an unencrypted PEM private key\n$/,
  },
  {
    why: 'the key of another certificate',
    server: { ...HTTPS, tls: [{ hosts: ['api.example.com'], cert: testCertificate('api').certFile, key: keyFile }] },
    wanted:
      /^photon: Cannot use server\.tls\[0\]\.key .*localhost\.key: want the private key of the certificate in .*api\.crt\n$/,
  },
]) {
  test(`${why} is one line, and exit code 1`, async (t) => {
    const { code, stdout, stderr } = await startPhoton(t, { server }).ended;
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, wanted);
  });
}

test('what is in a key file is never repeated', async (t) => {
  const secret = join(temporaryDirectory(t), 'broken.key');
  writeFileSync(secret, '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n');
  const { code, stderr } = await startPhoton(t, { server: { ...HTTPS, tls_key: secret } }).ended;
  assert.equal(code, 1);
  assert.doesNotMatch(stderr, /c2VjcmV0|secret/);
});

interface Handshake {
  readonly resumed: boolean;
  /** What to resume the next one with: a ticket comes with a full handshake only. */
  readonly session: Buffer | undefined;
  readonly name: string;
}

async function handshake(port: number, session?: Buffer): Promise<Handshake> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...(session ? { session } : {}) });
  const ticket = once(socket, 'session') as Promise<[Buffer]>;
  await once(socket, 'secureConnect');
  const resumed = socket.isSessionReused();
  const made = { resumed, session: resumed ? session : (await ticket)[0], name: socket.getPeerCertificate().subject };
  socket.destroy();
  return { ...made, name: String(made.name?.CN) };
}

test('a session goes on with any worker, and after a restart', async (t) => {
  const upstream = await Upstream.start(t);
  const server = { ...HTTPS, tls_ticket_keys: join(temporaryDirectory(t), 'ticket-keys') };
  let session: Buffer | undefined;
  for (const expected of [false, true]) {
    const photon = startPhoton(t, { upstreamPort: upstream.port, server });
    const port = await securePort(photon);
    for (let turn = 0; turn < 8; turn++) {
      const made = await handshake(port, session);
      assert.equal(made.resumed, expected || turn > 0, `handshake ${turn + 1}`);
      session = made.session;
    }
    photon.kill('SIGTERM');
    assert.equal((await photon.ended).code, 0);
  }
});

test('a certificate that is replaced is shown from then on, by every worker; connections go on', async (t) => {
  const upstream = await Upstream.start(t);
  const directory = temporaryDirectory(t);
  const [crt, key] = [join(directory, 'a.crt'), join(directory, 'a.key')];
  const put = (name: 'localhost' | 'api') => {
    copyFileSync(testCertificate(name).certFile, crt);
    copyFileSync(testCertificate(name).keyFile, key);
  };
  put('localhost');
  const server = { ...HTTPS, tls_cert: crt, tls_key: key, tls_ticket_keys: join(directory, 'ticket-keys') };
  const photon = startPhoton(t, { upstreamPort: upstream.port, server });
  const port = await securePort(photon);
  const agent = agentFor(t);
  assert.equal((await getSecure(port, '/', agent)).status, 200);
  put('api');
  await photon.event('certificates-reloaded');
  for (let turn = 0; turn < 8; turn++) assert.equal((await handshake(port)).name, 'api.example.com');
  // The one that was open before goes on with what it had: a new one would not be trusted.
  assert.equal((await getSecure(port, '/', agent)).status, 200);
  assert.deepEqual(photon.events('worker-died'), []);
});
