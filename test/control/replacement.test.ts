import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type PhotonProcess, startPhoton, temporaryDirectory } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

const HELLO = { status: 200, body: 'hello' };

/** Each request comes on a connection of its own, so the kernel spreads them over all listeners. */
async function assertServes(port: number): Promise<void> {
  for (let count = 0; count < 40; count += 1) {
    assert.deepEqual(await get({ port }), HELLO);
  }
}

async function crash(photon: PhotonProcess, row: number): Promise<void> {
  const deaths = photon.events('worker-died').length;
  photon.crashWorker(row);
  const line = await photon.event('worker-died', deaths);
  assert.equal(line['worker'], row);
  assert.equal(line['reason'], 'Error: crash on request');
}

test('while a dead worker is replaced, the others serve every new connection', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port });
  const port = await photon.port();
  await crash(photon, 1);
  await assertServes(port);
  assert.equal((await photon.event('worker-replaced'))['worker'], 1);
  await assertServes(port);
});

test('a worker that fills its heap is replaced, and the process lives on', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port });
  const port = await photon.port();
  photon.crashWorker(1, 'fill-heap');
  const line = await photon.event('worker-died');
  assert.match(String(line['reason']), /reaching memory limit/);
  await photon.event('worker-replaced');
  await assertServes(port);
});

test('the replacement serves when every other worker has died after it', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port });
  const port = await photon.port();
  await crash(photon, 1);
  await photon.event('worker-replaced');
  await crash(photon, 0);
  await assertServes(port);
});

test('a lone worker is replaced on the same port, even one that the system chose', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port, server: { workers: 1 } });
  const port = await photon.port();
  await crash(photon, 0);
  await photon.event('worker-replaced');
  await assertServes(port);
});

test('the worker behind a unix socket is replaced on the same path, and the path is gone in the end', async (t) => {
  const upstream = await Upstream.start(t);
  const socketPath = join(temporaryDirectory(t), 'photon.sock');
  const photon = startPhoton(t, { upstreamPort: upstream.port, server: { http_addr: `unix:${socketPath}` } });
  assert.equal((await photon.event('listening'))['address'], `unix:${socketPath}`);
  assert.deepEqual(await get({ socketPath }), HELLO);
  await crash(photon, 0);
  await photon.event('worker-replaced');
  assert.deepEqual(await get({ socketPath }), HELLO);
  photon.kill('SIGTERM');
  assert.equal((await photon.ended).code, 0);
  assert.equal(existsSync(socketPath), false);
});

test('a worker that dies again and again is replaced later each time', async (t) => {
  const photon = startPhoton(t, { server: { workers: 1 } });
  await photon.port();
  const delays: unknown[] = [];
  for (let death = 0; death < 3; death += 1) {
    await crash(photon, 0);
    delays.push(photon.events('worker-died').at(-1)?.['replacedInMs']);
    await photon.event('worker-replaced', death);
  }
  assert.deepEqual(delays, [0, 100, 200]);
});

test('SIGTERM ends a gateway that waits for a replacement', async (t) => {
  const photon = startPhoton(t, { server: { workers: 1 } });
  await photon.port();
  // The seventh waits for 3.2 seconds.
  for (let death = 0; death < 7; death += 1) {
    await crash(photon, 0);
    if (death < 6) {
      await photon.event('worker-replaced', death);
    }
  }
  photon.kill('SIGTERM');
  assert.equal((await photon.ended).code, 0);
  assert.equal(photon.events('worker-replaced').length, 6);
});
