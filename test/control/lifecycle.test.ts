import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startPhoton, temporaryDirectory } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

const HELLO = { status: 200, body: 'hello' };

test('a gateway serves on the address that it logs, with the workers it was asked for', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port, server: { workers: 3 } });
  const port = await photon.port();
  assert.deepEqual(await get({ port }), HELLO);
  const [line] = photon.events('listening');
  assert.equal(line?.['workers'], 3);
  assert.equal(line?.['address'], `127.0.0.1:${port}`);
});

test('the log says which transport the workers use, and PHOTON_TRANSPORT decides', async (t) => {
  for (const transport of ['onread', 'plain']) {
    const photon = startPhoton(t, {}, { PHOTON_TRANSPORT: transport });
    const line = await photon.event('listening');
    assert.equal(line['transport'], transport);
  }
});

test('SIGTERM: no new connection, the running exchange is finished, exit code 0', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port });
  const port = await photon.port();
  const reply = get({ port }, '/held');
  const held = await upstream.holds();
  photon.kill('SIGTERM');
  await photon.event('draining');
  await assertRefused(port);
  held.end('late, but whole');
  assert.deepEqual(await reply, { status: 200, body: 'late, but whole' });
  const { code, signal } = await photon.ended;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

test('SIGINT drains as well', async (t) => {
  const photon = startPhoton(t);
  await photon.port();
  photon.kill('SIGINT');
  assert.equal((await photon.ended).code, 0);
});

test('an exchange that outlasts shutdown_timeout is cut, and the exit code is still 0', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port, server: { shutdown_timeout: '100ms' } });
  const port = await photon.port();
  const reply = assert.rejects(get({ port }, '/held'));
  await upstream.holds();
  photon.kill('SIGTERM');
  await photon.event('drain-timeout');
  await reply;
  assert.equal((await photon.ended).code, 0);
});

for (const { name, server, signals } of [
  { name: 'at the end of a drain', server: { shutdown_timeout: '100ms' }, signals: 1 },
  { name: 'by a second signal', server: {}, signals: 2 },
]) {
  test(`a reply that ends with its connection is reset when it is cut ${name}`, async (t) => {
    const upstream = await Upstream.start(t);
    const photon = startPhoton(t, { upstreamPort: upstream.port, server });
    const client = connect(await photon.port(), '127.0.0.1').on('error', () => {});
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.write('GET /held HTTP/1.0\r\nHost: app.example\r\n\r\n');
    const held = await upstream.holds();
    held.write('the first half');
    await once(client, 'data');
    client.resume();
    photon.kill('SIGTERM');
    await photon.event('draining');
    if (signals === 2) photon.kill('SIGTERM');
    assert.equal(await closed, true);
    assert.equal((await photon.ended).code, signals === 2 ? 1 : 0);
  });
}

test('a second signal ends the process at once, with exit code 1', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port });
  const port = await photon.port();
  const reply = assert.rejects(get({ port }, '/held'));
  await upstream.holds();
  photon.kill('SIGTERM');
  await photon.event('draining');
  photon.kill('SIGTERM');
  const { code } = await photon.ended;
  assert.equal(code, 1);
  await reply;
});

test('a signal that comes while the gateway starts stops it in order, with exit code 0', async (t) => {
  const photon = startPhoton(t, { server: { workers: 8 } });
  await photon.event('listening');
  photon.kill('SIGTERM');
  const { code, signal } = await photon.ended;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

test('the process is called photon', async (t) => {
  const photon = startPhoton(t);
  await photon.port();
  assert.equal(readFileSync(`/proc/${photon.pid}/cmdline`, 'utf8').split('\0')[0], 'photon');
  assert.equal(readFileSync(`/proc/${photon.pid}/comm`, 'utf8'), 'photon\n');
});

test('the pid file holds the process id while the gateway runs, and is gone after', async (t) => {
  const pidFile = join(temporaryDirectory(t), 'photon.pid');
  const photon = startPhoton(t, { server: { pid_file: pidFile } });
  await photon.event('ready');
  assert.equal(readFileSync(pidFile, 'utf8'), `${photon.pid}\n`);
  photon.kill('SIGTERM');
  await photon.ended;
  assert.equal(existsSync(pidFile), false);
});

/** Each worker closes its listener when the message reaches it: connections may still be taken for a moment. */
async function assertRefused(port: number): Promise<void> {
  for (;;) {
    try {
      await get({ port });
    } catch (error) {
      assert.match(String((error as NodeJS.ErrnoException).code), /^ECONN(REFUSED|RESET)$/);
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
        return;
      }
    }
  }
}
