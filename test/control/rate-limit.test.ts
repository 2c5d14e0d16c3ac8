import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

const BURST = 20;

/** A gateway of two workers whose one limit lets `BURST` requests pass, and no more for an hour. */
async function start(t: TestContext) {
  const upstream = await Upstream.start(t);
  const directory = temporaryDirectory(t);
  const file = join(directory, 'config.json');
  const write = (rate_limiting: object, more: object = {}) => {
    const document = {
      server: { http_addr: '127.0.0.1:0', workers: 2, ...more },
      load_balancing: { backends: { origin: { upstreams: [{ address: `127.0.0.1:${upstream.port}` }] } } },
      middleware: { rate_limiting },
      routes: [{ path: '/**', middleware: ['rate_limit'] }],
      access_log: { enabled: false },
    };
    writeFileSync(file, JSON.stringify(document));
  };
  write({ requests_per_second: 0.0001, burst: BURST });
  const photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: directory });
  await photon.event('ready');
  const port = await photon.port();
  /** How many of so many requests pass, each on a connection of its own, so that every worker gets some. */
  const passing = async (count: number): Promise<number> => {
    let passed = 0;
    for (let n = 0; n < count; n++) if ((await get({ port })).status === 200) passed++;
    return passed;
  };
  return { photon, write, passing };
}

test('all workers count together, and what they counted outlives every one of them', async (t) => {
  const { photon, passing } = await start(t);
  assert.equal(await passing(BURST - 5), BURST - 5);
  for (const row of [0, 1]) {
    photon.crashWorker(row);
    await photon.event('worker-replaced', row);
  }
  assert.equal(await passing(30), 5);
});

test('a reload that needs more room keeps what was counted', async (t) => {
  const { photon, write, passing } = await start(t);
  assert.equal(await passing(BURST - 5), BURST - 5);
  write({ requests_per_second: 0.0001, burst: BURST, max_keys: 500_000 });
  await photon.event('reloaded');
  assert.equal(await passing(30), 5);
});

test('a reload that changes the limit begins with full buckets', async (t) => {
  const { photon, write, passing } = await start(t);
  assert.equal(await passing(30), BURST);
  write({ requests_per_second: 0.0001, burst: 3 });
  await photon.event('reloaded');
  assert.equal(await passing(10), 3);
});
