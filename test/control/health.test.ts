import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CheckedServer } from '../health/checked-server.ts';
import { eventually } from '../support/guard.ts';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';

const INTERVAL_MS = 200;

/** A gateway of two workers in front of two servers, which are asked for `/health` and for requests. */
class Bench {
  readonly servers: readonly CheckedServer[];
  readonly photon: PhotonProcess;
  readonly #file: string;
  port = 0;

  private constructor(t: TestContext, servers: readonly CheckedServer[]) {
    this.servers = servers;
    this.#file = join(temporaryDirectory(t), 'config.yaml');
    this.write({});
    this.photon = new PhotonProcess(t, ['--config', this.#file], { XDG_RUNTIME_DIR: join(this.#file, '..') });
  }

  static async start(t: TestContext): Promise<Bench> {
    const servers = await Promise.all([0, 1].map((number) => CheckedServer.start(answerOf(number))));
    t.after(() => Promise.all(servers.map((server) => server.down())));
    const bench = new Bench(t, servers);
    bench.port = await bench.photon.port();
    return bench;
  }

  write(changes: object): void {
    const upstreams = this.servers.map(({ port }) => ({ address: `127.0.0.1:${port}` }));
    const config = {
      server: { http_addr: '127.0.0.1:0', workers: 2 },
      load_balancing: { backends: { web: { upstreams } } },
      health_check: { check_type: 'http', interval: `${INTERVAL_MS}ms`, timeout: '10s', failure_threshold: 1 },
      routes: [{ path: '/**' }],
      access_log: { enabled: false },
      ...changes,
    };
    writeFileSync(this.#file, JSON.stringify(config));
  }

  /** The bodies of so many requests, each on a connection of its own, so that both workers get some. */
  async bodies(count: number): Promise<ReadonlySet<string>> {
    const replies = await Promise.all(Array.from({ length: count }, () => this.get()));
    return new Set(replies.map(({ status, body }) => (status === 200 ? body : String(status))));
  }

  get(): Promise<{ status: number; body: string; retryAfter: string | undefined }> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: this.port, path: '/', agent: false }, async (response) => {
        let body = '';
        for await (const chunk of response.setEncoding('latin1')) body += chunk;
        resolve({ status: response.statusCode ?? 0, body, retryAfter: response.headers['retry-after'] });
      });
      sent.once('error', reject);
      sent.end();
    });
  }
}

/** Answers checks and requests. */
const answerOf = (number: number) => (question: string) => {
  const asked = question.startsWith('GET /health ');
  const body = asked ? 'ok' : `server ${number}`;
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/** Serves requests as before and fails every check. */
const illAnswerOf = (number: number) => (question: string) =>
  question.startsWith('GET /health ')
    ? 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n'
    : answerOf(number)(question);

test('an upstream that fails its checks gets no request from any worker, until it passes them again', async (t) => {
  const bench = await Bench.start(t);
  const [first] = bench.servers as [CheckedServer, CheckedServer];
  assert.deepEqual([...(await bench.bodies(40))].toSorted(), ['server 0', 'server 1']);
  first.answer = illAnswerOf(0);
  const { backend, upstream, reason } = await bench.photon.event('upstream-unhealthy');
  assert.deepEqual(
    { backend, upstream, reason },
    { backend: 'web', upstream: `127.0.0.1:${first.port}`, reason: 'status 500' },
  );
  assert.deepEqual([...(await bench.bodies(40))], ['server 1']);
  first.answer = answerOf(0);
  await bench.photon.event('upstream-healthy');
  assert.deepEqual([...(await bench.bodies(40))].toSorted(), ['server 0', 'server 1']);
  assert.equal(bench.photon.events('upstream-unhealthy').length, 1);
});

test('when no upstream is healthy the answer is 503 at once, with Retry-After', async (t) => {
  const bench = await Bench.start(t);
  for (const [number, server] of bench.servers.entries()) server.answer = illAnswerOf(number);
  await bench.photon.event('upstream-unhealthy', 1);
  const { status, body, retryAfter } = await bench.get();
  assert.equal(status, 503);
  assert.match(body, /no_upstream/);
  assert.match(retryAfter ?? '', /^\d+$/);
});

test('a reload keeps what was found out, and checks go on', async (t) => {
  const bench = await Bench.start(t);
  const [first] = bench.servers as [CheckedServer, CheckedServer];
  first.answer = illAnswerOf(0);
  await bench.photon.event('upstream-unhealthy');
  bench.write({ routes: [{ path: '/**', id: 'another' }] });
  await bench.photon.event('reloaded');
  assert.deepEqual([...(await bench.bodies(40))], ['server 1']);
  assert.deepEqual(bench.photon.events('upstream-healthy'), []);
  first.answer = answerOf(0);
  await bench.photon.event('upstream-healthy');
  assert.deepEqual([...(await bench.bodies(40))].toSorted(), ['server 0', 'server 1']);
});

test('a reload without checks makes every upstream healthy', async (t) => {
  const bench = await Bench.start(t);
  (bench.servers[0] as CheckedServer).answer = illAnswerOf(0);
  await bench.photon.event('upstream-unhealthy');
  bench.write({ health_check: { enabled: false } });
  await bench.photon.event('reloaded');
  assert.deepEqual([...(await bench.bodies(40))].toSorted(), ['server 0', 'server 1']);
});

test('a process that was stopped in the middle of its checks takes nobody for down', async (t) => {
  const bench = await Bench.start(t);
  for (const server of bench.servers) server.answer = () => null;
  await eventually(
    'both checks to be under way',
    () => bench.servers.every(({ open }) => open === 1),
    () => bench.servers.map(({ open }) => open).join(),
  );
  bench.photon.kill('SIGSTOP');
  // More than the thread is ever late, and so that both checks fail while nobody can see it.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  for (const [number, server] of bench.servers.entries()) {
    server.answer = answerOf(number);
    server.hangUp();
  }
  const before = bench.servers.map(({ connections }) => connections);
  bench.photon.kill('SIGCONT');
  await eventually(
    'checks to go on',
    () => bench.servers.every(({ connections }, number) => connections >= (before[number] ?? 0) + 2),
    () => bench.servers.map(({ connections }) => connections).join(),
  );
  assert.deepEqual(bench.photon.events('upstream-unhealthy'), []);
});
