import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
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

test('a pid file that cannot be written is one line, and exit code 1', async (t) => {
  const photon = startPhoton(t, { server: { pid_file: '/no/such/directory/photon.pid' } }, { LOG_LEVEL: 'silent' });
  await assertOneLine(photon, /^photon: Cannot write the pid file \/no\/such\/directory\/photon.pid: /);
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
    `server: { http_addr: "127.0.0.1:0" }\nload_balancing: { backends: ${backends} }\nroutes: [{ path: /, middleware: [auth] }]\n`,
  );
  const { code, stderr } = await new PhotonProcess(t, ['-c', path]).ended;
  assert.equal(code, 1);
  assert.match(stderr, /^error\[not-available-yet\]: routes\[0\]\.middleware\[0\] is not there yet/m);
  assert.match(stderr, /config\.yaml:3:/);
});
