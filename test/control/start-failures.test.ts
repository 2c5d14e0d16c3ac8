import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testCertificate } from '../support/certificates.ts';
import { PhotonProcess, startPhoton, temporaryDirectory, writeConfig } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

/** What a failed start has in common: exit code 1, nothing on standard output, one line on standard error. */
async function assertOneLine(photon: PhotonProcess, wanted: RegExp): Promise<void> {
  const { code, stdout, stderr } = await photon.ended;
  assert.equal(code, 1, stderr);
  assert.equal(stdout, '');
  assert.equal(stderr.split('\n').length, 2, stderr);
  assert.match(stderr, wanted);
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('an address in use is one line that names it, and exit code 1', async (t) => {
  const port = await takenPort(t);
  const photon = startPhoton(t, { server: { http_addr: `127.0.0.1:${port}` } });
  await assertOneLine(photon, new RegExp(`^photon: Cannot listen on 127.0.0.1:${port}: the address is in use\\n$`));
});

test('a second gateway on the same address fails, and the first serves on', async (t) => {
  const upstream = await Upstream.start(t);
  const first = startPhoton(t, { upstreamPort: upstream.port });
  const port = await first.port();
  const second = startPhoton(t, { server: { http_addr: `127.0.0.1:${port}` } });
  await assertOneLine(second, /the address is in use/);
  assert.equal((await get({ port })).status, 200);
});

test('when the second of two addresses is in use, the first is not left open', async (t) => {
  const port = await takenPort(t);
  const photon = startPhoton(t, { server: { http_addr: ['127.0.0.1:0', `127.0.0.1:${port}`] } });
  await assertOneLine(photon, /Cannot listen/);
});

const UNUSABLE_ADDRESSES = [
  {
    address: '192.0.2.1:8080',
    why: 'a documentation address, which no machine has (RFC 5737)',
    wanted: /does not have/,
  },
  { address: 'no-such-name.invalid:8080', why: 'a name that never resolves (RFC 6761)', wanted: /does not resolve/ },
  { address: 'unix:/no/such/directory/photon.sock', why: 'no directory', wanted: /the directory does not exist/ },
  { address: `unix:${import.meta.filename}`, why: 'a file with contents of its own', wanted: /not a socket/ },
];

for (const { address, why, wanted } of UNUSABLE_ADDRESSES) {
  test(`listening on ${address} fails in one line: ${why}`, async (t) => {
    await assertOneLine(startPhoton(t, { server: { http_addr: address } }), wanted);
  });
}

const QUIET = { LOG_LEVEL: 'silent' };

for (const { path, why } of [
  { path: '/no/such/directory/photon.pid', why: 'its directory is not there' },
  { path: '/', why: 'it is a directory' },
  { path: '/proc/photon.pid', why: 'nobody may write there, not even root' },
]) {
  test(`a pid file that cannot be written is one line, and exit code 1: ${why}`, async (t) => {
    const photon = startPhoton(t, { server: { pid_file: path } }, QUIET);
    await assertOneLine(photon, new RegExp(`^photon: Cannot write the pid file ${path}: `));
  });
}

test('a pid file that cannot be written leaves nothing open: the address can be had again', async (t) => {
  const port = await freePort();
  const server = { http_addr: `127.0.0.1:${port}` };
  await assertOneLine(startPhoton(t, { server: { ...server, pid_file: '/' } }, QUIET), /pid file/);
  assert.equal(await startPhoton(t, { server }).port(), port);
});

/** Whoever may read everything reads a file without permissions too: a directory nobody can read as a file. */
function unreadable(t: TestContext): { readonly path: string; readonly code: string } {
  if (process.getuid?.() === 0) return { path: temporaryDirectory(t), code: 'EISDIR' };
  const path = join(temporaryDirectory(t), 'unreadable');
  writeFileSync(path, '', { mode: 0 });
  return { path, code: 'EACCES' };
}

test('a key that cannot be read is one line that names option and file, and exit code 1', async (t) => {
  const { path, code } = unreadable(t);
  const server = { https_addr: '127.0.0.1:0', tls_cert: testCertificate('localhost').certFile, tls_key: path };
  await assertOneLine(
    startPhoton(t, { server }),
    new RegExp(`^photon: Cannot read server.tls_key ${path}: ${code}\n$`),
  );
});

test('a configuration file that cannot be read is one line that names it, and exit code 1', async (t) => {
  const { path } = unreadable(t);
  await assertOneLine(new PhotonProcess(t, ['-c', path]), new RegExp(`^photon: .*${path}`));
});

test('an address for HTTPS in use is one line that names it, and exit code 1', async (t) => {
  const port = await takenPort(t);
  const { certFile, keyFile } = testCertificate('localhost');
  const server = { https_addr: `127.0.0.1:${port}`, tls_cert: certFile, tls_key: keyFile };
  await assertOneLine(startPhoton(t, { server }), new RegExp(`^photon: Cannot listen on 127.0.0.1:${port}: `));
});

test('a path on which another gateway answers is in use, and that one serves on', async (t) => {
  const upstream = await Upstream.start(t);
  const socketPath = join(temporaryDirectory(t), 'photon.sock');
  const server = { http_addr: `unix:${socketPath}` };
  await startPhoton(t, { upstreamPort: upstream.port, server }).event('ready');
  await assertOneLine(startPhoton(t, { server }), /the address is in use/);
  assert.equal((await get({ socketPath })).status, 200);
});

test('a transport that does not exist is one line, and exit code 1', async (t) => {
  await assertOneLine(startPhoton(t, {}, { PHOTON_TRANSPORT: 'pigeon' }), /PHOTON_TRANSPORT.*"pigeon"/);
});

test('a configuration file that is not there is one line, and exit code 1', async (t) => {
  const path = join(temporaryDirectory(t), 'missing.yaml');
  await assertOneLine(new PhotonProcess(t, ['-c', path]), /missing\.yaml/);
});

test('a directory as configuration file is one line, and exit code 1', async (t) => {
  await assertOneLine(new PhotonProcess(t, ['-c', temporaryDirectory(t)]), /photon-test-/);
});

test('a configuration with errors names each of them with its place, and exit code 1', async (t) => {
  const path = writeConfig(t);
  writeFileSync(path, 'server:\n  http_addr: 127.0.0.1:0\n  wrokers: 2\nload_balancing:\n  backends: {}\nroutes: 7\n');
  const { code, stdout, stderr } = await new PhotonProcess(t, ['-c', path]).ended;
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /config\.yaml:3:3/);
  assert.match(stderr, /did you mean.*workers/i);
  assert.match(stderr, /config\.yaml:6:9/);
});

test('a protection that is not there yet keeps it from starting, with its place', async (t) => {
  const path = writeConfig(t);
  const backends = '{ web: { upstreams: [{ address: "127.0.0.1:1" }] } }';
  writeFileSync(
    path,
    `server: { http_addr: "127.0.0.1:0" }\nload_balancing: { backends: ${backends} }\nroutes: [{ path: /, websocket: { enabled: true } }]\n`,
  );
  const { code, stderr } = await new PhotonProcess(t, ['-c', path]).ended;
  assert.equal(code, 1);
  assert.match(stderr, /^error\[not-available-yet\]: routes\[0\]\.websocket\.enabled is not there yet/m);
  assert.match(stderr, /config\.yaml:3:/);
});
