import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseTransport } from '../../src/net/choose-transport.ts';
import type { ByteReceiver } from '../../src/net/connection.ts';
import type { Transport } from '../../src/net/transport.ts';
import { testAuthority, testCertificate } from '../support/certificates.ts';
import { settle } from '../support/guard.ts';
import { CheckBench, INTERVAL_MS } from './check-bench.ts';
import type { Answer } from './checked-server.ts';

const check = (name: string, script: (bench: CheckBench) => Promise<void>, maxChecks?: number) =>
  test(name, () => CheckBench.run(script, maxChecks));

const OK: Answer = () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const MANY = Array.from({ length: 20 }, (_none, index) => index);
/** What the wheel adds to a moment, at most. */
const LATE_MS = 250;

check('first checks are spread over the interval', async (bench) => {
  const server = await bench.server();
  let drawn = 0;
  bench.random = () => (drawn++ % MANY.length) / MANY.length;
  bench.use(...MANY.map(() => ({ check: {}, upstreams: [server.port] })));
  const seen: number[] = [];
  for (let step = 0; step < 20; step++) {
    await bench.pass(INTERVAL_MS / 20);
    seen.push(server.connections);
  }
  assert.ok((seen[4] ?? 0) <= 6, `${seen}`);
  assert.ok((seen[9] ?? 0) >= 5 && (seen[9] ?? 0) <= 11, `${seen}`);
  assert.ok(
    seen.every((count, at) => at === 0 || count - (seen[at - 1] ?? 0) <= 3),
    `${seen}`,
  );
});

for (const { random, factor } of [
  { random: 0, factor: 0.9 },
  { random: 0.5, factor: 1 },
  { random: 1 - Number.EPSILON, factor: 1.1 },
]) {
  check(
    `with a random number of ${random.toFixed(1)} the interval is ${factor} of itself, and no delay adds up`,
    async (bench) => {
      const server = await bench.server();
      bench.random = () => random;
      bench.use({ check: {}, upstreams: [server.port] });
      const startMs = bench.clock.nowMs();
      await bench.until('eleven checks', () => server.connections >= 11);
      const dueMs = (random + 10 * factor) * INTERVAL_MS;
      const tookMs = bench.clock.nowMs() - startMs;
      assert.ok(tookMs >= dueMs && tookMs <= dueMs + LATE_MS, `${tookMs} ms for ${dueMs}`);
    },
  );
}

check(
  'no more checks run at a time than there may, and each gets its turn',
  async (bench) => {
    const server = await bench.server();
    let most = 0;
    bench.use(...MANY.map(() => ({ check: { check_type: 'http', timeout: '500ms' }, upstreams: [server.port] })));
    for (let step = 0; step < 120; step++) {
      await bench.pass(50);
      most = Math.max(most, bench.checker.checks, server.open);
    }
    assert.equal(most, 3);
    assert.ok(server.connections >= MANY.length, `${server.connections} checks`);
  },
  3,
);

check('the checks of one upstream never overlap, however short the interval', async (bench) => {
  const server = await bench.server();
  bench.use({ check: { check_type: 'http', interval: '100ms', timeout: '5s' }, upstreams: [server.port] });
  await bench.pass(4000);
  assert.deepEqual([server.connections, server.open], [1, 1]);
});

// --- the thread stands still -------------------------------------------------------------------------------------------

check('a thread that stood still takes nobody for down: what was under way counts for nothing', async (bench) => {
  const server = await bench.server();
  bench.use(
    ...MANY.map(() => ({
      check: { check_type: 'http', timeout: '500ms', failure_threshold: 1 },
      upstreams: [server.port],
    })),
  );
  await bench.until('every check to be under way', () => bench.checker.checks === MANY.length);
  await server.untilConnections(MANY.length);
  server.answer = OK;
  // All of it at once, as after SIGCONT: timers are late, and nothing has been read.
  bench.jump(3_600_000);
  bench.checker.tick();
  await settle();
  assert.deepEqual([bench.events, bench.states], [[], '+'.repeat(MANY.length)]);
  await bench.pass(3 * INTERVAL_MS);
  assert.deepEqual(bench.events, []);
  assert.ok(server.connections >= 2 * MANY.length);
});

check(
  'a connection that ends while the thread stands still is no failure, even when that is seen before the clock',
  async (bench) => {
    const server = await bench.server();
    bench.use({ check: { check_type: 'http', failure_threshold: 1 }, upstreams: [server.port] });
    await bench.until('a check', () => server.open === 1);
    server.answer = OK;
    bench.jump(60_000);
    server.hangUp();
    await settle();
    assert.deepEqual(bench.events, []);
    await bench.pass(3 * INTERVAL_MS);
    assert.deepEqual(bench.events, []);
  },
);

check('a thread that was busy for a moment gives the checks under way that time back', async (bench) => {
  const server = await bench.server();
  const options = { check_type: 'http', timeout: '500ms', failure_threshold: 1 };
  bench.use({ check: options, upstreams: [server.port] });
  await bench.until('a check', () => bench.checker.checks === 1);
  await bench.pass(200);
  bench.jump(900);
  bench.checker.tick();
  await settle();
  assert.deepEqual(bench.events, []);
  assert.equal(bench.checker.checks, 1);
  await bench.pass(600);
  assert.match(bench.events.join(), /no complete answer within 500 ms/);
});

/** Nothing listens there; `receiver` hears of `code` instead. */
const starving = (receiver: ByteReceiver, code: string): ByteReceiver => ({
  inBody: false,
  connected: () => assert.fail('it connected'),
  received: () => undefined,
  ended: () => undefined,
  writable: () => undefined,
  writingFailed: () => false,
  closed: () => receiver.closed(code),
});

for (const code of ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']) {
  test(`a check that cannot be made for want of our own (${code}) says nothing about the upstream`, () => {
    const real = chooseTransport(process.env['PHOTON_TRANSPORT']);
    let failing = true;
    const transport: Transport = {
      ...real,
      connect(io, target, receiver, preface) {
        return real.connect(io, target, failing ? starving(receiver, code) : receiver, preface);
      },
    };
    const script = async (bench: CheckBench) => {
      // To connect is all of a tcp check, and does not go through a transport: see connect-check.test.ts.
      bench.use({ check: { check_type: 'http', failure_threshold: 1 }, upstreams: [1] });
      await bench.pass(4 * INTERVAL_MS);
      assert.deepEqual([bench.states, bench.events], ['+', ['health-checks-starved 1 1']]);
      failing = false;
      assert.match(await bench.untilEvents(2), /^upstream-unhealthy/);
    };
    return CheckBench.run(script, 100, transport);
  });
}

// --- another configuration ---------------------------------------------------------------------------------------------

const DOWN = { check: { failure_threshold: 1, success_threshold: 2 }, upstreams: [1] };

async function whenDown(bench: CheckBench, backend: typeof DOWN = DOWN): Promise<void> {
  bench.use(backend);
  await bench.untilEvents(1);
  assert.equal(bench.states, '-');
}

check('a change elsewhere disturbs neither the state nor the counts nor the kept connection', async (bench) => {
  const server = await bench.server(OK);
  const kept = { check: { check_type: 'http', reuse: true, failure_threshold: 2 }, upstreams: [server.port] };
  bench.use(kept);
  await bench.pass(2 * INTERVAL_MS);
  server.answer = () => 'HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n';
  const questions = () => (server.heard[0] ?? '').split('GET').length - 1;
  const before = questions();
  await bench.until('one failure', () => questions() > before && bench.checker.checks === 0);
  bench.use(kept, DOWN);
  await bench.until('the second failure', () => bench.events.some((event) => event.includes('b0')));
  assert.equal(questions(), before + 2);
  assert.equal(server.connections, 1);
});

check('other settings of the checks keep the state and begin to count anew', async (bench) => {
  const server = await bench.server(() => null);
  const checks = { check_type: 'http', timeout: '500ms', failure_threshold: 1, success_threshold: 3 };
  bench.use({ check: checks, upstreams: [server.port] });
  await bench.untilEvents(1);
  server.answer = OK;
  const passing = async (count: number) => {
    const before = server.connections;
    await bench.until('checks', () => server.connections === before + count && bench.checker.checks === 0);
  };
  await passing(2);
  bench.use({ check: { ...checks, interval: '2s' }, upstreams: [server.port] });
  assert.equal(bench.states, '-');
  await passing(2);
  assert.deepEqual([bench.states, bench.events.length], ['-', 1]);
  await passing(1);
  assert.deepEqual([bench.states, bench.events.length], ['+', 2]);
});

for (const { why, change } of [
  { why: 'another TLS setting', change: { ...DOWN, upstream: { tls: true } } },
  { why: 'a PROXY header', change: { ...DOWN, upstream: { send_proxy_protocol: 'v1' } } },
]) {
  check(`${why} makes it another server, which begins healthy`, async (bench) => {
    await whenDown(bench);
    bench.use(change);
    assert.equal(bench.states, '+');
    assert.deepEqual(bench.events.slice(1), ['upstream-healthy b0 127.0.0.1:1']);
  });
}

check('a weight is nothing to the checks', async (bench) => {
  await whenDown(bench);
  bench.use({ ...DOWN, upstream: { weight: 7 } });
  assert.equal(bench.states, '-');
});

check('without checks it is healthy, and nobody asks any more', async (bench) => {
  await whenDown(bench);
  bench.use({ ...DOWN, check: { enabled: false } });
  assert.equal(bench.states, '+');
  assert.deepEqual(bench.events.slice(1), ['upstream-healthy b0 127.0.0.1:1']);
  await bench.pass(3 * INTERVAL_MS);
  assert.equal(bench.events.length, 2);
});

check('what is removed is checked no more, and a check under way is given up', async (bench) => {
  const [gone, stays] = [await bench.server(), await bench.server(OK)];
  const options = { check_type: 'http', timeout: '60s' };
  bench.use({ check: options, upstreams: [stays.port] }, { check: options, upstreams: [gone.port] });
  await bench.until('a check', () => gone.open === 1);
  bench.use({ check: options, upstreams: [stays.port] });
  await bench.until('the end of the check', () => gone.open === 0);
  const before = stays.connections;
  await bench.pass(3 * INTERVAL_MS);
  assert.equal(gone.connections, 1);
  assert.ok(stays.connections >= before + 2);
});

check('what is new is checked', async (bench) => {
  const server = await bench.server(OK);
  bench.use({ check: {}, upstreams: [server.port] });
  await bench.pass(INTERVAL_MS);
  bench.use({ check: {}, upstreams: [server.port] }, DOWN);
  assert.equal(await bench.untilEvents(1), 'upstream-unhealthy b1 127.0.0.1:1 no connection (ECONNREFUSED)');
  assert.equal(bench.states, '+-');
});

check('authorities that were read anew are used from the next check on, without a reload', async (bench) => {
  const directory = mkdtempSync(join(tmpdir(), 'photon-health-'));
  const caFile = join(directory, 'ca.crt');
  copyFileSync(testCertificate('localhost').certFile, caFile);
  const server = await bench.server(OK, testCertificate('upstream'));
  const backend = {
    check: { check_type: 'https', reuse: true, failure_threshold: 1, success_threshold: 1 },
    upstreams: [server.port],
    upstream: { tls: true, tls_ca: caFile, sni_hostname: 'api.internal' },
  };
  bench.use(backend);
  assert.match(await bench.untilEvents(1), /no TLS/);
  copyFileSync(testAuthority().caFile, caFile);
  bench.use(backend);
  assert.equal(bench.states, '-', 'the state is kept');
  assert.match(await bench.untilEvents(2), /^upstream-healthy/);
  const heard = server.heard.join();
  copyFileSync(testCertificate('localhost').certFile, caFile);
  bench.use(backend);
  assert.match(await bench.untilEvents(3), /no TLS/);
  assert.equal(server.heard.join().replace(/,*$/, ''), heard.replace(/,*$/, ''), 'asked over the kept connection');
  rmSync(directory, { recursive: true });
});
