import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { PhotonProcess, temporaryDirectory } from '../control/photon-process.ts';
import { GUARD_MS, guarded } from '../support/guard.ts';
import { ImpairingProxy, type Impairment, type Impairments, NEVER_ANSWERS } from '../support/impairing-proxy.ts';
import { ask, Load, type Outcome } from '../support/load.ts';
import { REPLY_BODY, REQUEST_ID_FIELD, repeatedRequests, UpstreamProcess } from '../support/upstream-process.ts';

/**
 * Upstreams that misbehave while clients ask. One gateway of two workers has a backend for each trouble, so that each has breakers
 * and a retry budget of its own:
 *
 *   /NAME/**  --->  backend NAME  --->  the victim, mostly through a proxy of its own
 *                                 --->  two upstreams that are well, the same for all
 */

const GETS = 16;
const POSTS = 4;
/**
 * Five failures in a row open the breaker, and all others may be on their way then. Each may have met two ends: that of a kept
 * connection is not counted, and a fresh one is tried.
 */
const BROKEN_MAX = 2 * (5 + GETS + POSTS);

/** What happens to an upstream in the midst of a load. */
interface Trouble {
  /** As a path's segment. */
  readonly name: string;
  readonly upstream: string;
  /** The victim is a process of its own, which the gateway reaches without a proxy. */
  readonly toProcess?: (victim: UpstreamProcess) => unknown;
  readonly toConnections?: (proxy: ImpairingProxy) => unknown;
  /** Requests reach it, or are lost on the way, and nobody answers: whoever has sent a POST has to be told. */
  readonly unanswered?: boolean;
  /** The reply begins before it fails: whoever has seen its head cannot be given another one. */
  readonly withinReplies?: boolean;
}

const headBytes = Buffer.byteLength(
  `HTTP/1.1 200 OK\r\nContent-Length: ${REPLY_BODY.length}\r\nConnection: keep-alive\r\n\r\n`,
);

const impair = (toGateway: Impairment) => (proxy: ImpairingProxy) => proxy.impair({ toGateway });

const TROUBLES: readonly Trouble[] = [
  { name: 'killed', upstream: 'is killed', toProcess: (victim) => victim.kill() },
  { name: 'frozen', upstream: 'is frozen', toProcess: (victim) => victim.freeze(), unanswered: true },
  { name: 'closed', upstream: 'closes its port, and its connections', toConnections: goDown },
  {
    name: 'silent',
    upstream: 'accepts and never answers',
    toConnections: (proxy) => proxy.impair(NEVER_ANSWERS),
    unanswered: true,
  },
  {
    name: 'stalled',
    upstream: 'takes requests, and its replies do not come',
    toConnections: impair({ stalled: true }),
    unanswered: true,
  },
  { name: 'reset-in-head', upstream: 'resets in the head of replies', toConnections: impair({ resetAfterBytes: 20 }) },
  { name: 'cut-before-reply', upstream: 'closes before it replies', toConnections: impair({ cutAfterBytes: 0 }) },
  {
    name: 'reset-after-head',
    upstream: 'resets after the head of replies',
    toConnections: impair({ resetAfterBytes: headBytes }),
    withinReplies: true,
  },
  {
    name: 'reset-in-body',
    upstream: 'resets in the body of replies',
    toConnections: impair({ resetAfterBytes: headBytes + 10 }),
    withinReplies: true,
  },
  {
    name: 'cut-in-body',
    upstream: 'closes in the body of replies',
    toConnections: impair({ cutAfterBytes: headBytes + 10 }),
    withinReplies: true,
  },
];

/** What keeps an upstream from nothing but being fast. */
const SLOWNESSES = [
  { name: 'trickling', upstream: 'that answers byte by byte', impairments: { toGateway: { trickled: true } } },
  { name: 'trickled', upstream: 'that reads byte by byte', impairments: { toUpstream: { trickled: true } } },
  {
    name: 'distant',
    upstream: 'far away',
    impairments: { toUpstream: { delayMs: 20 }, toGateway: { delayMs: 20 } },
  },
] satisfies readonly { name: string; upstream: string; impairments: Impairments }[];

/** How far a client comes before it goes. */
interface Stage {
  readonly backend: string;
  readonly name: string;
  readonly method?: string;
  /** What it asks for. */
  readonly path: string;
  /** What follows the field that tells the request from others. */
  readonly rest: string;
  /** It waits until the upstream has its request, or until it has seen a part of the reply. */
  readonly waitsFor?: 'arrival' | { readonly reply: string };
}

const STAGES: readonly Stage[] = [
  { backend: 'half-head', name: 'before the head is complete', path: '/hello', rest: 'X-Half: ' },
  { backend: 'head', name: 'right after the head', path: '/hello', rest: '\r\n' },
  {
    backend: 'half-body',
    name: 'in the body of the request',
    method: 'POST',
    path: '/hang',
    rest: `Content-Length: 100000\r\n\r\n${'b'.repeat(5000)}`,
    waitsFor: 'arrival',
  },
  { backend: 'hang', name: 'while the upstream thinks', path: '/hang', rest: '\r\n', waitsFor: 'arrival' },
  { backend: 'begin', name: 'in the body of the reply', path: '/begin', rest: '\r\n', waitsFor: { reply: 'begun' } },
  { backend: 'large', name: 'in the body of a long reply', path: '/large', rest: '\r\n', waitsFor: { reply: 'xxx' } },
];

async function goDown(proxy: ImpairingProxy): Promise<void> {
  await proxy.refuse();
  proxy.resetConnections();
}

const ends: (() => unknown)[] = [];
const file = { after: (end: () => unknown) => void ends.unshift(end) };
after(async () => {
  for (const end of ends) await end();
});

const startUpstreams = (count: number) => Promise.all(Array.from({ length: count }, () => UpstreamProcess.start(file)));
const well = await startUpstreams(2);
const mortal = await startUpstreams(3);
/** Behind every proxy. */
const target = await UpstreamProcess.start(file);
const proxies = new Map<string, ImpairingProxy>();
const victims = new Map<string, UpstreamProcess>();
const backends: Record<string, unknown> = {};
await addBackends();
const gatewayPort = await startGateway();

async function addBackends(): Promise<void> {
  for (const { name, toProcess, unanswered = false } of TROUBLES) {
    if (toProcess !== undefined) victims.set(name, await UpstreamProcess.start(file));
    const victim = victims.get(name)?.port ?? (await proxyFor(name));
    addBackend(name, [victim, ...well.map(({ port }) => port)], {}, unanswered ? victim : null);
  }
  for (const { name } of SLOWNESSES) addBackend(name, [await proxyFor(name), ...well.map(({ port }) => port)]);
  const soonTriedAgain = { open_timeout: '200ms', success_threshold: 1 };
  addBackend('flapping', [await proxyFor('flapping'), ...well.map(({ port }) => port)], soonTriedAgain);
  addBackend(
    'down',
    mortal.map(({ port }) => port),
    { failure_threshold: 2, open_timeout: '2s', success_threshold: 1 },
  );
  for (const { backend } of STAGES) addBackend(backend, [target.port]);
}

async function proxyFor(name: string): Promise<number> {
  const proxy = await ImpairingProxy.start(file, target.port);
  proxies.set(name, proxy);
  return proxy.port;
}

/** The upstream on port `falls` falls silent, which is noticed soon; one that is well and has a busy processor has a minute. */
function addBackend(name: string, ports: readonly number[], breaker = {}, falls: number | null = null): void {
  const upstreams = ports.map((port) => ({
    address: `127.0.0.1:${port}`,
    read_timeout: port === falls ? '2s' : '60s',
  }));
  backends[name] = { upstreams, circuit_breaker: breaker };
}

async function startGateway(): Promise<number> {
  const routes = Object.keys(backends).map((name) => ({
    path: `/${name}/**`,
    strip_prefix: `/${name}`,
    backend: name,
    retries: 1,
  }));
  const server = { http_addr: '127.0.0.1:0', workers: 2 };
  const path = join(temporaryDirectory(file), 'config.yaml');
  writeFileSync(path, JSON.stringify({ server, load_balancing: { backends }, routes }));
  return await new PhotonProcess(file, ['--config', path], {}, { lifetimeMs: 1_200_000 }).port();
}

/** GETs and POSTs at the same time, over kept connections. */
interface Loads {
  readonly gets: Load;
  readonly posts: Load;
}

async function startLoads(t: TestContext, name: string): Promise<Loads> {
  const to = { port: gatewayPort, path: `/${name}/hello` };
  const gets = new Load(t, { ...to, connections: GETS });
  const posts = new Load(t, { ...to, connections: POSTS, method: 'POST' });
  await Promise.all([gets.answered(300), posts.answered(60)]);
  return { gets, posts };
}

async function endLoads({ gets, posts }: Loads): Promise<void> {
  await Promise.all([gets.stop(), posts.stop()]);
}

function proxyOf(name: string): ImpairingProxy {
  const proxy = proxies.get(name);
  assert.ok(proxy);
  return proxy;
}

for (const { name, upstream, toProcess, toConnections, unanswered = false, withinReplies = false } of TROUBLES) {
  test(`an upstream ${upstream}: every GET that can be answered is, and no POST comes twice`, async (t) => {
    const loads = await startLoads(t, name);
    const { gets, posts } = loads;
    const [victim, proxy] = [victims.get(name), proxies.get(name)];
    if (victim !== undefined) await toProcess?.(victim);
    if (proxy !== undefined) await toConnections?.(proxy);
    await Promise.all([gets.answered(600), posts.answered(120)]);
    await endLoads(loads);

    const cut = gets.failures.filter(isCut);
    assert.equal(gets.failures.length, withinReplies ? cut.length : 0, gets.describeFailures());
    const broken = proxy?.broken ?? 0;
    assert.ok(cut.length <= broken, `${cut.length} replies were cut, ${broken} by the upstream`);
    assert.ok(broken <= BROKEN_MAX, `the breaker is not open after ${broken} failures`);
    const honest = posts.failures.filter((outcome) => isCut(outcome) || isRefusal(outcome));
    assert.equal(posts.failures.length, honest.length, posts.describeFailures());
    if (unanswered) assert.notEqual(posts.failures.length, 0, 'each POST was answered, by whom?');
    if (victim !== undefined && unanswered) await readAll(victim);
    assertNoPostTwice(posts);
  });
}

/** What has come of the reply is right, and then the connection ends. */
function isCut({ status, error, body }: Outcome): boolean {
  return status === 200 && error === 'ECONNRESET' && REPLY_BODY.startsWith(body);
}

/** The gateway says that the upstream failed. */
function isRefusal({ status, error }: Outcome): boolean {
  return error === null && (status === 502 || status === 504);
}

/** A frozen process goes on, and finds the requests that the system has taken meanwhile. */
async function readAll(victim: UpstreamProcess): Promise<void> {
  victim.thaw();
  // What had come before is read in the turn of its loop in which it accepts this one, or in an earlier one.
  for (const id of ['thawed', 'awake']) await ask({ port: victim.port, path: '/hello' }, id);
}

function assertNoPostTwice(posts: Load): void {
  const ofPosts = (line: string) => line.startsWith(`${posts.name}-`);
  assert.deepEqual(repeatedRequests([...well, target, ...victims.values()]).filter(ofPosts), []);
}

for (const { name, upstream, impairments } of SLOWNESSES) {
  test(`an upstream ${upstream} is slow, and nothing worse`, async (t) => {
    const loads = await startLoads(t, name);
    const { gets, posts } = loads;
    proxyOf(name).impair(impairments);
    const before = target.requests;
    await Promise.all([gets.answered(300), posts.answered(60)]);
    await endLoads(loads);
    assert.equal(gets.describeFailures(), 'none');
    assert.equal(posts.describeFailures(), 'none');
    assert.ok(target.requests > before + 10, 'it had hardly any request');
    assertNoPostTwice(posts);
  });
}

test('an upstream that goes and comes again and again costs no GET its reply, and has its share in the end', async (t) => {
  const loads = await startLoads(t, 'flapping');
  const { gets, posts } = loads;
  const proxy = proxyOf('flapping');
  for (let flap = 0; flap < 8; flap++) {
    await goDown(proxy);
    await gets.answered(100);
    await proxy.accept();
    await gets.answered(100);
  }
  const before = target.requests;
  while (target.requests < before + 50) await gets.answered(50);
  await endLoads(loads);
  assert.equal(gets.describeFailures(), 'none');
  assertNoPostTwice(posts);
});

test('with every upstream down it is 503 with Retry-After at once; one that comes back is found', async () => {
  let asked = 0;
  const next = () => ask({ port: gatewayPort, path: '/down/hello' }, `down-${++asked}`);
  const until = async (status: number) => {
    const startedMs = performance.now();
    let outcome = await next();
    while (outcome.status !== status && performance.now() - startedMs < GUARD_MS) outcome = await next();
    assert.equal(outcome.status, status);
  };
  await until(200);
  await Promise.all(mortal.map((upstream) => upstream.kill()));
  await until(503);
  for (let count = 0; count < 20; count++) {
    const { status, retryAfter, body } = await next();
    assert.equal(status, 503);
    assert.match(String(retryAfter), /^[1-9][0-9]*$/);
    assert.match(body, /no_upstream/, 'none of them was asked');
  }
  await mortal[1]?.restart();
  await until(200);
  for (let count = 0; count < 20; count++) assert.equal((await next()).status, 200);
});

const ABORTS = 1000;
const ABORTS_AT_ONCE = 50;

for (const stage of STAGES) {
  test(`a thousand clients that go away ${stage.name} leave the upstream in service`, async () => {
    const wrong: string[] = [];
    let begun = 0;
    const abort = async () => {
      while (begun < ABORTS && wrong.length === 0) {
        await abortOnce(stage, `${stage.name}-${++begun}`).catch((error: unknown) => wrong.push(String(error)));
      }
    };
    await Promise.all(Array.from({ length: ABORTS_AT_ONCE }, abort));
    assert.deepEqual(wrong, []);
    for (let count = 0; count < 100; count++) {
      const { status, error } = await ask({ port: gatewayPort, path: `/${stage.backend}/hello` }, `after-${count}`);
      assert.deepEqual([status, error], [200, null]);
    }
  });
}

/** One client, which resets its connection. */
async function abortOnce({ backend, method = 'GET', path, rest, waitsFor }: Stage, id: string): Promise<void> {
  const arrival = waitsFor === 'arrival' ? target.receives(id) : null;
  const socket = connect(gatewayPort, '127.0.0.1');
  const gone = once(socket, 'close');
  const seen = { text: '' };
  socket.setEncoding('latin1').on('data', (text: string) => {
    seen.text += text;
    if (typeof waitsFor === 'object' && seen.text.includes(waitsFor.reply)) socket.resetAndDestroy();
  });
  socket.write(`${method} /${backend}${path} HTTP/1.1\r\nHost: a\r\n${REQUEST_ID_FIELD}: ${id}\r\n${rest}`, () => {
    if (waitsFor === undefined) socket.resetAndDestroy();
  });
  void arrival?.then(() => socket.resetAndDestroy());
  try {
    await guarded('a client to be gone', gone, () => `it saw: ${seen.text.slice(0, 200)}`);
  } finally {
    socket.destroy();
  }
}
