import { STATUS_OF_FAULT } from '../hosts/request-bytes.ts';
import type { AttemptRecord, ExchangeRecord } from '../records.ts';
import type { Run } from '../run.ts';
import {
  type BackendScript,
  type HeadFault,
  type HookAct,
  PREFLIGHT_LINE,
  type RequestScript,
  type UpstreamScript,
} from '../scenario/scenario.ts';
import type { Availability } from './availability.ts';
import { type Fate, fateOf } from './fate.ts';
import { leavesSurplus, mayBeSurplus } from './surplus.ts';
import {
  backendsNamed,
  configsAt,
  isInVain,
  lateMs,
  SAME_MS,
  type Timeline,
  timelineOf,
  turnAfter,
  unheardBytes,
  type Way,
  waysOf,
} from './timeline.ts';

/** So long a reply waits for its hooks when its client has ended its side. */
const HALF_CLOSED_MS = 2000 - SAME_MS;

/** A request that waits gets a connection when one is free, and at most so long after an upstream has become well. */
const LOOK_MS = 150;

/** What may become of an exchange, each with its cause. */
export class Expectation {
  readonly causes = new Map<Outcome, string>();
  /** Nothing of the request may reach an upstream. */
  nothingUpstream = false;

  allow(outcome: Outcome, why: string): void {
    if (!this.causes.has(outcome)) this.causes.set(outcome, why);
  }

  forbid(outcome: Outcome): void {
    this.causes.delete(outcome);
  }

  only(outcome: Outcome, why: string): this {
    this.causes.clear();
    this.allow(outcome, why);
    return this;
  }
}

/** The whole reply of the upstream; a status of the gateway's own; a reply that visibly breaks off; nothing. */
export type Outcome = 'whole' | number | 'cut' | 'none';

export function expect(run: Run, exchange: ExchangeRecord, availability: Availability): Expectation {
  const life = timelineOf(exchange);
  const expectation = new Expectation();
  const { script } = exchange;
  if (script.fault?.kind === 'head' && !isBehindAnEnd(exchange))
    return expectFault(run, exchange, life, script.fault.what, expectation);
  if (!Number.isFinite(life.readMs)) return expectUnread(run, exchange, expectation);
  if (isBehindAnEnd(exchange)) return expectation.only('none', 'the reply before it ended the connection');
  if (isBehindPart(exchange)) expectation.allow('none', 'the reply before it was cut');
  allowSlowHead(run, exchange, expectation);
  allowIdle(run, exchange, life, expectation);
  if (isDrained(run, exchange, life)) expectation.allow('none', 'the worker drains');
  if (isDead(run, exchange, life)) {
    expectation.allow(exchange.reply === null ? 'none' : 'cut', 'the worker died');
    // The system ends what has no length as if it were whole.
    if (exchange.reply?.complete) expectation.allow('whole', 'the worker died');
  }
  allowLeaving(run, exchange, life, expectation);
  const ways = waysOf(run, exchange);
  const refusals = ways.map((way) => refusalOf(run, exchange, way));
  if (refusals.every((refusal) => refusal !== null)) {
    expectation.nothingUpstream = true;
    for (const refusal of refusals) expectation.allow(refusal.status, refusal.why);
    for (const way of ways) allowDeadline(run, exchange, life, way, expectation);
    allowHooksOf(exchange, expectation, ways);
    allowBodyFaults(run, exchange, life, expectation, ways);
    return expectation;
  }
  for (const refusal of refusals) if (refusal !== null) expectation.allow(refusal.status, refusal.why);
  allowBodyFaults(run, exchange, life, expectation, ways);
  allowHooksOf(exchange, expectation, ways);
  for (const way of ways) allowDeadline(run, exchange, life, way, expectation);
  allowAttempts(run, exchange, life, expectation, ways);
  for (const { route } of ways) {
    if (route === undefined) continue;
    const untilMs = Math.min(life.beganMs, life.overMs);
    const isLeft = exchange.reply === null && Number.isFinite(exchange.client.link?.finArrivedMs);
    if (!isLeft && exchange.reply?.status !== 503) continue;
    const { row } = exchange.client.script;
    const sinceMs =
      isLeft || isDelayed(exchange) ? life.readMs : Math.max(life.readMs, untilMs - LOOK_MS - lateMs(run));
    if (!availability.isUnavailable(route.backend, row, sinceMs, untilMs, !isLeft)) continue;
    if (isLeft) expectation.allow('none', 'its client ended its side while no upstream could be used');
    else expectation.allow(503, 'no upstream could be used');
  }
  return expectation;
}

/** Its client may have a refusal later than it was made. */
function isDelayed({ client, script }: ExchangeRecord): boolean {
  const isHeld = script.hooks.some(({ response }) => response.act !== 'pass' && response.act !== 'set header');
  return isHeld || client.pausedSpans.length > 0 || client.script.ahead > 1;
}

/** Whether what came is among what is allowed. */
export function outcomeOf({ reply }: ExchangeRecord): Outcome {
  if (reply === null) return 'none';
  if (!reply.complete) return 'cut';
  return reply.head.fields.has('x-sim-reply') ? 'whole' : reply.status;
}

// --- what has nothing to do with an upstream ------------------------------------------------------------------------------

/** A head that is wrong is refused, as soon as that shows. */
function expectFault(
  run: Run,
  exchange: ExchangeRecord,
  life: Timeline,
  what: HeadFault,
  expectation: Expectation,
): Expectation {
  if (!Number.isFinite(life.readMs)) expectUnread(run, exchange, expectation);
  else allowSlowHead(run, exchange, expectation);
  if (isBehindPart(exchange)) expectation.allow('none', 'the reply before it was cut');
  if (isDrained(run, exchange, life)) expectation.allow('none', 'the worker drains');
  if (isDead(run, exchange, life)) expectation.allow('none', 'the worker died');
  allowLeaving(run, exchange, life, expectation);
  allowIdle(run, exchange, life, expectation);
  expectation.nothingUpstream = true;
  expectation.allow(STATUS_OF_FAULT[what], `a head with ${what}`);
  return expectation;
}

/** A connection that nothing comes on is closed, and what comes in that moment is lost. */
function allowIdle(run: Run, { client, index, start }: ExchangeRecord, life: Timeline, expectation: Expectation): void {
  const { link } = client;
  if (link === null) return;
  const before = client.exchanges[index - 1];
  const sinceMs = before === undefined ? link.openedMs : link.writtenMs(before.reply?.end ?? Number.POSITIVE_INFINITY);
  const firstMs = link.arrivedMs(start + 1);
  for (const { server } of run.scenario.configs) {
    const patienceMs = before === undefined ? server.connectionTimeoutMs : server.keepaliveTimeoutMs;
    if (Math.min(Math.max(firstMs, sinceMs), life.readMs) - sinceMs >= patienceMs - SAME_MS)
      expectation.allow('none', 'nothing came for too long');
  }
}

/** The gateway never had the whole head. */
function expectUnread(run: Run, exchange: ExchangeRecord, expectation: Expectation): Expectation {
  const { client, index } = exchange;
  expectation.nothingUpstream = client.link?.readMs(exchange.headEnd) === Number.POSITIVE_INFINITY;
  expectation.allow('none', 'its head never came');
  allowLeaving(run, exchange, timelineOf(exchange), expectation);
  if (client.exchanges[index - 1]?.reply?.complete !== false) allowSlowHead(run, exchange, expectation);
  return expectation;
}

/** The gateway waited too long for the head. Its bytes may all have come in the very moment in which it gave up. */
function allowSlowHead(run: Run, { client, index, start, headEnd }: ExchangeRecord, expectation: Expectation): void {
  const before = client.exchanges[index - 1];
  const { link } = client;
  if (link === null) return;
  const sinceMs = before === undefined ? link.openedMs : Math.max(link.readMs(start + 1), turnAfter(before).fromMs);
  // What has come while the gateway stood still has come in time.
  const untilMs = Math.min(Math.max(link.arrivedMs(headEnd), sinceMs), link.closedMs);
  for (const { server } of run.scenario.configs) {
    if (untilMs - sinceMs >= server.connectionTimeoutMs - SAME_MS) expectation.allow(408, 'its head came too slowly');
  }
}

/** The gateway has said that it takes no further request on this connection, or nothing came for the one before. */
function isBehindAnEnd({ client, index }: ExchangeRecord): boolean {
  return client.exchanges.slice(0, index).some(({ reply }) => {
    if (reply === null) return !Number.isFinite(client.leftMs);
    return reply.head.fields.get('connection')?.join() === 'close';
  });
}

/** A reply before it is not whole for its client, although it may be for the gateway, which had written it. */
function isBehindPart({ client, index }: ExchangeRecord): boolean {
  return client.exchanges.slice(0, index).some(({ reply }) => reply !== null && !reply.complete);
}

/** Whose head comes when a drain has begun may find the connection closed. */
function isDrained({ controls }: Run, { client }: ExchangeRecord, life: Timeline): boolean {
  return controls.some(
    ({ script, atMs }) => script.what === 'drain' && script.row === client.script.row && atMs <= life.readMs + SAME_MS,
  );
}

function isDead(run: Run, { client }: ExchangeRecord, life: Timeline): boolean {
  return run.controls.some(
    ({ script, atMs }) =>
      script.what === 'die' &&
      script.row === client.script.row &&
      atMs >= life.readMs - SAME_MS &&
      atMs <= life.overMs + lateMs(run),
  );
}

/** Who goes away gets what it gets. */
function allowLeaving(run: Run, exchange: ExchangeRecord, life: Timeline, expectation: Expectation): void {
  const { client } = exchange;
  const { link } = client;
  const { reply } = exchange;
  // Nothing more is to be had where all of a reply is there.
  if (reply?.complete) return;
  const part = reply === null ? 'none' : 'cut';
  if (Number.isFinite(client.leftMs)) expectation.allow(part, 'its client left');
  if (link === null) return;
  const { finArrivedMs } = link;
  if (Number.isFinite(finArrivedMs) && !Number.isFinite(link.arrivedMs(exchange.end))) {
    expectation.allow(part, 'its client ended in the middle of it');
  }
  // Nothing else than a reset shows a client of HTTP/1.0 that its reply was cut, and it may take with it what is under way before that.
  const isBehind = client.exchanges.slice(exchange.index + 1).some(({ script }) => script.versionMinor === 0);
  if (isBehind && link.closedHow === 'reset') expectation.allow(part, 'a reply behind it was cut');
  const patienceMs = Math.min(...run.scenario.configs.map(({ server }) => server.sendTimeoutMs)) - SAME_MS;
  for (const span of client.pausedSpans) {
    if (span.toMs - span.fromMs < patienceMs || span.fromMs >= life.overMs + 1000) continue;
    expectation.allow('cut', 'its client did not read');
    // The reset that says so may take all of it that the client has not read.
    if (link.closedHow === 'reset' && link.closedMs >= span.fromMs + patienceMs && link.closedMs <= span.toMs)
      expectation.allow(part, 'its client did not read');
  }
  // RFC 9112 9.6: who sends on when the gateway has ended its side, and has read on for two seconds, may lose the end of the last reply.
  const isSentOn = client.exchanges.slice(exchange.index + 1).some(({ end }) => link.arrivedMs(end) > link.closedMs);
  if (isSentOn && reply !== null && link.closedMs - link.endedMs > 1900)
    expectation.allow(part, 'its client sent more behind the last reply');
  // So may who still sends when the connection is closed behind an early reply.
  if (life.wholeMs > link.closedMs) {
    if (reply !== null || link.closedMs - life.readMs > 1900)
      expectation.allow(part, 'it was answered before it was whole');
  }
}

/** What a route refuses before anything is sent; null for nothing. */
function refusalOf(
  run: Run,
  exchange: ExchangeRecord,
  { config, route }: Way,
): { readonly status: number; readonly why: string } | null {
  const { script } = exchange;
  if (route === undefined) return { status: 404, why: 'no route' };
  if (route.cors && isPreflight(script))
    return script.origin === 'allowed' ? { status: 204, why: 'a preflight' } : { status: 403, why: 'a foreign origin' };
  const { methods } = route;
  const method = script.method === 'HEAD' ? 'GET' : script.method;
  if (methods !== null && !methods.includes(method) && !methods.includes(script.method))
    return { status: 405, why: 'the method' };
  if (route.apiKey && (script.key === 'none' || script.key === 'wrong')) return { status: 401, why: 'no key' };
  for (const act of script.hooks.slice(0, route.hooks).map(({ request }) => request)) {
    const refusal = refusalByHook(act);
    if (refusal !== null) return refusal;
    if (act.act === 'wait' && act.forMs > hookBoundMs({ config, route }) + lateMs(run))
      return { status: 504, why: 'a hook takes too long' };
  }
  const limit = Math.min(
    config.server.maxBodyBytes ?? Number.POSITIVE_INFINITY,
    route.bodyLimit ?? Number.POSITIVE_INFINITY,
  );
  if (script.body.framing === 'length' && script.body.bytes > limit)
    return { status: 413, why: 'the length of its body' };
  return null;
}

function isPreflight({ method, origin, extraLines }: RequestScript): boolean {
  return method === 'OPTIONS' && origin !== 'none' && extraLines.includes(PREFLIGHT_LINE);
}

/** How long a hook may take, at most. */
function hookBoundMs({ config, route }: Pick<Way, 'config' | 'route'>): number {
  return route?.timeoutMs ?? config.server.middlewareTimeoutMs;
}

function refusalByHook(act: HookAct): { readonly status: number; readonly why: string } | null {
  switch (act.act) {
    case 'answer':
      return { status: act.status, why: 'a hook answers' };
    case 'throw':
    case 'nonsense':
      return { status: 500, why: 'a hook fails' };
    case 'never':
      return { status: 504, why: 'a hook never settles' };
    default:
      return null;
  }
}

/** Hooks that take too long; and those of the reply that fail, or do not let it pass. */
function allowHooksOf(exchange: ExchangeRecord, expectation: Expectation, ways: readonly Way[]): void {
  const boundMs = Math.min(...ways.map(hookBoundMs)) - SAME_MS;
  for (const { request, response } of exchange.script.hooks) {
    for (const act of [request, response])
      if (act.act === 'wait' && act.forMs >= boundMs) expectation.allow(504, 'a hook takes too long');
    const isLong = response.act === 'wait' && response.forMs >= Math.min(HALF_CLOSED_MS, boundMs);
    if (isLong && exchange.client.script.halfCloses)
      expectation.allow('none', 'a hook of the reply takes too long, and its client ended');
    if (response.act === 'throw') expectation.allow(500, 'a hook of the reply fails');
    if (response.act !== 'never') continue;
    expectation.allow(504, 'a hook of the reply never settles');
    if (exchange.client.script.halfCloses)
      expectation.allow('none', 'a hook of the reply never settles, and its client ended');
  }
}

function allowBodyFaults(
  run: Run,
  exchange: ExchangeRecord,
  life: Timeline,
  expectation: Expectation,
  ways: readonly Way[],
): void {
  const { script, client } = exchange;
  if (life.faultMs <= life.overMs) {
    expectation.allow(400, 'a bad chunk');
    if (life.beganMs <= life.faultMs + SAME_MS) expectation.allow('cut', 'a bad chunk');
  }
  if (script.body.framing === 'none' || client.link === null) return;
  for (const { config, route } of ways) {
    const limit = Math.min(
      config.server.maxBodyBytes ?? Number.POSITIVE_INFINITY,
      route?.bodyLimit ?? Number.POSITIVE_INFINITY,
    );
    if (script.body.bytes > limit) {
      expectation.allow(413, 'the size of its body');
      if (life.beganMs <= life.wholeMs) expectation.allow('cut', 'the size of its body');
    }
  }
  // That of a later configuration counts from its reload on.
  const bodyTimeoutMs = Math.min(...configsAt(run, life.readMs, life.overMs).map(({ server }) => server.bodyTimeoutMs));
  if (longestUploadGap(exchange, life) >= bodyTimeoutMs - SAME_MS) {
    expectation.allow(408, 'a slow body');
    if (life.beganMs < life.wholeMs) expectation.allow('cut', 'a slow body');
  }
}

/** The longest time without a byte of the body. */
function longestUploadGap({ client, headEnd, end }: ExchangeRecord, life: Timeline): number {
  const link = client.link as NonNullable<typeof client.link>;
  const untilMs = Math.min(Math.max(link.arrivedMs(end), life.readMs), link.closedMs);
  let lastMs = link.arrivedMs(headEnd);
  let longest = 0;
  for (const { atMs } of link.arrivals) {
    if (atMs <= lastMs) continue;
    if (atMs > untilMs) break;
    longest = Math.max(longest, atMs - lastMs);
    lastMs = atMs;
  }
  return Math.max(longest, untilMs - lastMs);
}

function allowDeadline(
  run: Run,
  exchange: ExchangeRecord,
  life: Timeline,
  { route }: Way,
  expectation: Expectation,
): void {
  const timeoutMs = route?.timeoutMs ?? null;
  if (timeoutMs === null || life.overMs - life.readMs < timeoutMs - SAME_MS) return;
  const isOut = exchange.reply?.head.fields.has('x-sim-reply') ?? false;
  if (!isOut) expectation.allow(504, 'the deadline of its route');
  if (!isOut && life.wholeMs > life.readMs + timeoutMs - SAME_MS)
    expectation.allow(408, 'the deadline of its route, in its body');
  if (isOut && life.beganMs <= life.turnMs + timeoutMs + lateMs(run))
    expectation.allow('cut', 'the deadline of its route, in its reply');
}

// --- what upstreams did ---------------------------------------------------------------------------------------------------

function allowAttempts(
  run: Run,
  exchange: ExchangeRecord,
  life: Timeline,
  expectation: Expectation,
  ways: readonly Way[],
): void {
  const names = new Set(ways.map(({ backend }) => backend?.name));
  const backends = [...names].flatMap((name) => backendsNamed(run, name));
  const attempts = run.records.attemptsOf(exchange.script.tag);
  const fates = attempts.map((attempt) => fateOf(run, attempt, backends));
  if (mayBeSurplus(run, exchange)) {
    for (const outcome of ['whole', 502, 'cut'] as const)
      expectation.allow(outcome, 'bytes that an exchange before left behind');
  }
  const last = fates.at(-1);
  const lastAttempt = attempts.at(-1);
  if (last?.whole && lastAttempt !== undefined) {
    expectation.allow('whole', 'an upstream answered');
    if (!isCertainlyWhole(last)) allowFailures(fates, exchange, life, expectation);
    // Its sender may end with the connection in a way that shows only behind its last byte.
    return;
  }
  if (fates.some(({ failures, whole }) => whole && failures.length > 0))
    expectation.allow('whole', 'an upstream answered');
  allowFailures(fates, exchange, life, expectation);
  allowDials(run, exchange, life, expectation, backends, attempts);
}

const isCertainlyWhole = ({ failures }: Fate): boolean => failures.length === 0;

function allowFailures(
  fates: readonly Fate[],
  { script }: ExchangeRecord,
  life: Timeline,
  expectation: Expectation,
): void {
  const isHeld = script.hooks.some(({ response }) => response.act !== 'pass' && response.act !== 'set header');
  for (const { failures, headMs, isBad } of fates) {
    for (const { status, why, atMs } of failures) {
      // What the client has of it decides: the status of a failure, or a reply that breaks off.
      const isOut = Number.isFinite(headMs) && !isBad;
      if (!isOut || isHeld || atMs <= headMs + SAME_MS) expectation.allow(status, why);
      if (isOut) expectation.allow('cut', why);
      // Nothing else than a reset shows a client of HTTP/1.0 that the end is none; what is under way may be lost by it.
      if (Number.isFinite(headMs) && !life.keepsFraming) expectation.allow('none', why);
    }
  }
}

/** Connections that could not be opened, and pooled ones that turned out to be dead. */
function allowDials(
  run: Run,
  exchange: ExchangeRecord,
  life: Timeline,
  expectation: Expectation,
  backends: readonly BackendScript[],
  attempts: readonly AttemptRecord[],
): void {
  const { network, scenario } = run;
  const addresses = backends.flatMap(({ upstreams }) =>
    upstreams.map((upstream) => (scenario.upstreams[upstream] as UpstreamScript).address),
  );
  const connectTimeoutMs = Math.min(...backends.map((backend) => backend.connectTimeoutMs));
  const { row } = exchange.client.script;
  for (const link of network.links) {
    if (!addresses.includes(link.peer) || link.row !== row) continue;
    const isOfLife = link.closedMs >= life.readMs - SAME_MS && link.dialledMs <= life.overMs + SAME_MS;
    if (!isOfLife) continue;
    if (link.failure === 'refused' && link.dialledMs >= life.readMs - SAME_MS) expectation.allow(502, 'no connection');
    if (isInVain(link, connectTimeoutMs - SAME_MS)) expectation.allow(504, 'a connection in vain');
    const last = run.records.attempts.filter((attempt) => attempt.link === link).at(-1);
    if (last !== undefined && leavesSurplus(last) && (link.writes.at(-1)?.bytes ?? 0) > last.requestEnd) {
      expectation.allow(502, 'bytes that an exchange before left behind');
    }
    const isUnheard = unheardBytes(run, link) > 0;
    const sentMs = link.writes.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
    if (isUnheard && link.closedMs - sentMs > 290) expectation.allow(504, 'a request that never arrived');
    const isDead =
      Math.min(link.resetArrivedMs, link.finArrivedMs) <= life.overMs &&
      !attempts.some((attempt) => attempt.link === link);
    if (isDead && link.closedMs >= life.readMs - SAME_MS) expectation.allow(502, 'a pooled connection that was dead');
  }
}
