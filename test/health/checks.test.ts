import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TLSSocketOptions } from 'node:tls';
import { testAuthority, testCertificate } from '../support/certificates.ts';
import { settle } from '../support/guard.ts';
import { CheckBench, INTERVAL_MS } from './check-bench.ts';
import { type Answer, CheckedServer } from './checked-server.ts';

const check = (name: string, script: (bench: CheckBench) => Promise<void>, maxChecks?: number) =>
  test(name, () => CheckBench.run(script, maxChecks));

const reply = (status: number, body = '', ...fields: readonly string[]) =>
  [`HTTP/1.1 ${status} x`, `Content-Length: ${body.length}`, ...fields, '', body].join('\r\n');
const OK: Answer = () => reply(200, 'ok');
const { caFile } = testAuthority();
const SERVER: TLSSocketOptions = testCertificate('upstream');
const TRUSTED = { tls: true, tls_ca: caFile, sni_hostname: 'api.internal' };

const TYPES = [
  { name: 'tcp', options: { check_type: 'tcp' }, tls: null, upstream: {} },
  { name: 'http', options: { check_type: 'http' }, tls: null, upstream: {} },
  { name: 'http to an upstream with TLS', options: { check_type: 'http' }, tls: SERVER, upstream: TRUSTED },
  { name: 'https', options: { check_type: 'https' }, tls: SERVER, upstream: TRUSTED },
  { name: 'http with reuse', options: { check_type: 'http', reuse: true }, tls: null, upstream: {} },
] as const;

for (const { name, options, tls, upstream } of TYPES) {
  for (const threshold of [1, 2, 3]) {
    check(`${name}: up, down and up again, with thresholds of ${threshold}`, async (bench) => {
      const server = await bench.server(OK, tls);
      const thresholds = { failure_threshold: threshold, success_threshold: threshold };
      bench.use({ check: { ...options, ...thresholds }, upstreams: [server.port], upstream });
      await bench.pass(4 * INTERVAL_MS);
      assert.deepEqual([bench.states, bench.events], ['+', []]);
      await server.down();
      const downMs = bench.clock.nowMs();
      assert.equal(
        await bench.untilEvents(1),
        `upstream-unhealthy b0 127.0.0.1:${server.port} no connection (ECONNREFUSED)`,
      );
      assert.equal(bench.states, '-');
      const tookMs = bench.clock.nowMs() - downMs;
      assert.ok(
        tookMs > (threshold - 1) * INTERVAL_MS - 200 && tookMs <= threshold * INTERVAL_MS + 300,
        `${tookMs} ms`,
      );
      await server.up();
      const upMs = bench.clock.nowMs();
      assert.equal(await bench.untilEvents(2), `upstream-healthy b0 127.0.0.1:${server.port}`);
      assert.equal(bench.states, '+');
      const backMs = bench.clock.nowMs() - upMs;
      assert.ok(backMs <= threshold * INTERVAL_MS + 300, `${backMs} ms`);
    });
  }
}

interface Verdict {
  readonly why: string;
  readonly answer: Answer;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Null: it stays healthy. */
  readonly reason: string | null;
}

const endless =
  (head: string, piece: string): Answer =>
  (_question, socket) => {
    const more = () => {
      if (socket.destroyed) return;
      if (socket.write(piece)) setImmediate(more);
      else socket.once('drain', more);
    };
    setImmediate(more);
    return head;
  };

const VERDICTS: readonly Verdict[] = [
  { why: 'another status than the wanted one', answer: () => reply(503), reason: 'status 503' },
  { why: 'a redirect', answer: () => reply(302, '', 'Location: /ok'), reason: 'status 302' },
  { why: 'a status of the class', answer: () => reply(204), options: { expected_status: '2xx' }, reason: null },
  { why: 'one of a list', answer: () => reply(401), options: { expected_status: ['2xx', 401] }, reason: null },
  { why: 'none of a list', answer: () => reply(403), options: { expected_status: ['2xx', 401] }, reason: 'status 403' },
  { why: 'the text', answer: () => reply(200, 'it is up'), options: { expected_body: 'up' }, reason: null },
  {
    why: 'no such text',
    answer: () => reply(200, 'it is down'),
    options: { expected_body: 'up' },
    reason: 'the body lacks the expected text',
  },
  {
    why: 'a head without end',
    answer: endless('HTTP/1.1 200 OK\r\n', 'A: b\r\n'.repeat(99)),
    reason: 'malformed reply: ',
  },
  {
    why: 'a body without end, and no text in it',
    answer: endless('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(1000)),
    options: { expected_body: 'up' },
    reason: 'the body lacks the expected text',
  },
  {
    why: 'a body without end that nobody looks at',
    answer: endless('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(1000)),
    reason: null,
  },
  { why: 'no HTTP', answer: () => 'SSH-2.0-OpenSSH_9.9\r\n', reason: 'malformed reply: ' },
  { why: 'nothing', answer: () => null, reason: 'no complete answer within 500 ms' },
  { why: 'half a head', answer: () => 'HTTP/1.1 200 OK\r\nA: b\r\n', reason: 'no complete answer within 500 ms' },
  {
    why: 'half a head and a close',
    answer: (_question, socket) => {
      socket.end('HTTP/1.1 200 OK\r\nA: b\r\n');
      return null;
    },
    reason: 'no complete answer (closed)',
  },
];

for (const { why, answer, options, reason } of VERDICTS) {
  check(`a server that answers with ${why} is ${reason === null ? 'healthy' : 'not healthy'}`, async (bench) => {
    const server = await bench.server(answer);
    bench.use({
      check: { check_type: 'http', failure_threshold: 1, timeout: '500ms', ...options },
      upstreams: [server.port],
    });
    if (reason === null) {
      await bench.pass(3 * INTERVAL_MS);
      assert.deepEqual([bench.states, bench.events], ['+', []]);
      assert.ok(server.connections >= 2, `${server.connections} checks`);
    } else {
      const event = await bench.untilEvents(1);
      assert.ok(event.startsWith(`upstream-unhealthy b0 127.0.0.1:${server.port} ${reason}`), event);
      assert.equal(server.connections, 1);
    }
  });
}

check('what is asked for is the path, with the host, our own headers and those of the configuration', async (bench) => {
  const server = await bench.server(OK);
  bench.use(
    { check: { check_type: 'http' }, upstreams: [server.port] },
    {
      check: {
        check_type: 'http',
        path: '/up',
        host: 'app.internal',
        headers: { 'X-Token': 'abc', Accept: 'a/b' },
      },
      upstreams: [server.port],
    },
    { check: { check_type: 'http', reuse: true }, upstreams: [server.port] },
  );
  await bench.until('three questions', () => server.heard.filter((each) => each !== '').length >= 3);
  const common = 'User-Agent: Photon-Health-Check';
  const lines = server.heard.slice(0, 3).map((each) => each.toLowerCase());
  assert.deepEqual(
    lines.toSorted(),
    [
      `get /health http/1.1\r\nhost: 127.0.0.1:${server.port}\r\n${common}\r\naccept: */*\r\n\r\n`.toLowerCase(),
      `get /health http/1.1\r\nhost: 127.0.0.1:${server.port}\r\n${common}\r\naccept: */*\r\nconnection: close\r\n\r\n`.toLowerCase(),
      `get /up http/1.1\r\nhost: app.internal\r\n${common}\r\naccept: a/b\r\nx-token: abc\r\nconnection: close\r\n\r\n`.toLowerCase(),
    ].toSorted(),
  );
});

check('a check over a Unix socket asks localhost', async (bench) => {
  const directory = mkdtempSync(join(tmpdir(), 'photon-health-'));
  const server = await CheckedServer.atPath(join(directory, 'a.sock'), OK);
  bench.servers.push(server);
  bench.use({ check: { check_type: 'http', failure_threshold: 1 }, upstreams: [`unix:${join(directory, 'a.sock')}`] });
  await bench.pass(2 * INTERVAL_MS);
  assert.match(server.heard[0] ?? '', /\r\nhost: localhost\r\n/);
  assert.deepEqual(bench.events, []);
  await server.down();
  assert.match(await bench.untilEvents(1), /^upstream-unhealthy b0 unix:.* no connection \(ENOENT\)$/);
  rmSync(directory, { recursive: true });
});

const LOCAL_V2 = '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0';
for (const { version, header } of [
  { version: 'v1', header: 'PROXY UNKNOWN\r\n' },
  { version: 'v2', header: LOCAL_V2 },
]) {
  for (const type of ['tcp', 'http']) {
    check(`an upstream that wants a PROXY header, ${version}, gets one with every ${type} check`, async (bench) => {
      const server = await bench.server(OK);
      bench.use({
        check: { check_type: type, failure_threshold: 1 },
        upstreams: [server.port],
        upstream: { send_proxy_protocol: version },
      });
      await bench.pass(3 * INTERVAL_MS);
      assert.deepEqual(bench.events, []);
      assert.ok(server.connections >= 2);
      for (const heard of server.heard) {
        assert.ok(type === 'tcp' ? heard === header : heard.startsWith(`${header}GET `), JSON.stringify(heard));
      }
    });
  }
}

for (const { why, tls, upstream, reason } of [
  {
    why: 'a certificate of an authority that is not trusted',
    tls: SERVER,
    upstream: { tls: true, sni_hostname: 'api.internal' },
    reason: 'no TLS (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
  },
  {
    why: 'a certificate for another name',
    tls: SERVER,
    upstream: { ...TRUSTED, sni_hostname: 'other.internal' },
    reason: 'no TLS (ERR_TLS_CERT_ALTNAME_INVALID)',
  },
  { why: 'no TLS at all', tls: null, upstream: TRUSTED, reason: 'no TLS' },
] as const) {
  check(`a server with ${why} is not healthy, and the log says why`, async (bench) => {
    const server = await bench.server(OK, tls);
    bench.use({
      check: { check_type: 'https', failure_threshold: 1, timeout: '500ms' },
      upstreams: [server.port],
      upstream,
    });
    const event = await bench.untilEvents(1);
    assert.ok(event.startsWith(`upstream-unhealthy b0 127.0.0.1:${server.port} ${reason}`), event);
    assert.ok(server.heard.every((heard) => !heard.startsWith('GET')));
  });
}

check('a certificate need not be valid where the upstream says so', async (bench) => {
  const server = await bench.server(OK, SERVER);
  const upstream = { tls: true, tls_verify: false };
  bench.use({ check: { check_type: 'https', failure_threshold: 1 }, upstreams: [server.port], upstream });
  await bench.pass(2 * INTERVAL_MS);
  assert.deepEqual(bench.events, []);
  assert.match(server.heard[0] ?? '', /^GET /);
});

check('an upstream that asks for a certificate gets its own', async (bench) => {
  const alice = testCertificate('alice');
  const tls = { ...SERVER, ca: testAuthority().ca, requestCert: true, rejectUnauthorized: true };
  const server = await bench.server(OK, tls);
  const upstream = { ...TRUSTED, tls_cert: alice.certFile, tls_key: alice.keyFile };
  bench.use({ check: { check_type: 'https', failure_threshold: 1 }, upstreams: [server.port], upstream });
  await bench.pass(2 * INTERVAL_MS);
  assert.deepEqual(bench.events, []);
  assert.match(server.heard[0] ?? '', /^GET /);
});

check('a server that accepts and shakes no hands is not healthy after the timeout', async (bench) => {
  const server = await bench.server();
  bench.use({
    check: { check_type: 'https', failure_threshold: 1, timeout: '500ms' },
    upstreams: [server.port],
    upstream: TRUSTED,
  });
  assert.match(await bench.untilEvents(1), / no TLS within 500 ms$/);
});

check('with reuse all checks share a connection, without it each has its own and closes it', async (bench) => {
  const [kept, fresh] = [await bench.server(OK), await bench.server(OK)];
  bench.use(
    { check: { check_type: 'http', reuse: true }, upstreams: [kept.port] },
    { check: { check_type: 'http' }, upstreams: [fresh.port] },
  );
  await bench.pass(5 * INTERVAL_MS);
  assert.equal(kept.connections, 1);
  assert.ok((kept.heard[0] ?? '').split('GET').length >= 5);
  assert.ok(fresh.connections >= 4);
  await settle();
  assert.deepEqual([kept.open, fresh.open], [1, 0]);
});

check('a kept connection that the server has closed is no failure', async (bench) => {
  const server = await bench.server(OK);
  bench.use({ check: { check_type: 'http', reuse: true, failure_threshold: 1 }, upstreams: [server.port] });
  for (let round = 1; round <= 3; round++) {
    await bench.until(`connection ${round}`, () => server.connections === round && bench.checker.checks === 0);
    server.hangUp();
  }
  assert.deepEqual(bench.events, []);
});

check('a kept connection that closes when it is asked is no failure either: the check begins anew', async (bench) => {
  let questions = 0;
  const server = await bench.server((_question, socket) => {
    questions++;
    if (questions % 2 === 1) return reply(200);
    socket.destroy();
    return null;
  });
  bench.use({ check: { check_type: 'http', reuse: true, failure_threshold: 1 }, upstreams: [server.port] });
  await bench.until('five questions', () => questions >= 5);
  assert.deepEqual(bench.events, []);
});
