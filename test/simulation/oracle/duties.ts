import { ALLOWED_ORIGIN } from '../hosts/request-bytes.ts';
import type { Link, Mark } from '../net/link.ts';
import type { AttemptRecord, ExchangeRecord } from '../records.ts';
import type { Run } from '../run.ts';
import type { BackendScript, UpstreamScript } from '../scenario/scenario.ts';
import { endReadMs } from './fate.ts';
import { leavesSurplus, mayBeSurplus } from './surplus.ts';
import { checkTimeLimits } from './time-limits.ts';
import { isIdempotent, lateMs, SAME_MS, stalledMs, timelineOf, unheardBytes, waysOf } from './timeline.ts';

/** What the gateway owes to an exchange beside its outcome: that nothing is left out, and nothing waits without a reason. */
export function checkDuties(run: Run, exchange: ExchangeRecord): void {
  if (mayBeSurplus(run, exchange)) return;
  checkHealth(run, exchange);
  checkTimeLimits(run, exchange);
  checkRetries(run, exchange);
  checkHeldBytes(run, exchange);
  checkLogin(run, exchange);
  const { reply } = exchange;
  if (reply === null || !reply.complete) return;
  checkFields(run, exchange);
  checkPromptFailure(run, exchange);
  const last = run.records.attemptsOf(exchange.script.tag).at(-1);
  if (last === undefined || !reply.head.fields.has('x-sim-reply')) return;
  checkPassedOn(run, exchange, last);
  checkPrompt(run, exchange, last);
}

/** What middleware adds to replies. */
function checkFields(run: Run, exchange: ExchangeRecord): void {
  const { script, reply } = exchange;
  const ways = waysOf(run, exchange);
  const fields = reply?.head.fields;
  if (fields === undefined || script.fault?.kind === 'head') return;
  const say = (what: string) => run.records.find('reply', `the reply to ${script.tag} has ${what}`);
  const isFromUpstream = fields.has('x-sim-reply');
  if (
    ways.every(({ route }) => route?.transform) &&
    isFromUpstream &&
    fields.get('x-transformed')?.join() !== 'response'
  )
    say('nothing of `transform`');
  const origin = fields.get('access-control-allow-origin')?.join() ?? null;
  if (script.origin !== 'allowed' && origin !== null) say(`the origin ${origin}`);
  const isRouted = reply?.status !== 400 && reply?.status !== 405 && reply?.status !== 408;
  if (script.origin === 'allowed' && ways.every(({ route }) => route?.cors) && isRouted && origin !== ALLOWED_ORIGIN)
    say('no origin that may read it');
}

/** Interim replies and trailers pass. */
function checkPassedOn({ records }: Run, { script, reply, interims }: ExchangeRecord, last: AttemptRecord): void {
  if (script.versionMinor === 0 || reply === null) return;
  const say = (what: string) => records.find('reply', `${script.tag} received ${what}`);
  const passed = interims.filter((status) => status !== 100).join();
  if (passed !== last.script.interims.join()) say(`the interim replies ${passed} of ${last.script.interims.join()}`);
  const { fields } = reply.head;
  const isWhole = fields.has('transfer-encoding') && !fields.has('content-encoding') && script.method !== 'HEAD';
  if (!isWhole || last.script.framing !== 'chunked') return;
  const wanted = last.script.trailers ? `X-Trailer: trailer-of-${script.tag}` : '';
  if (reply.trailers.join() !== wanted) say(`the trailers ${reply.trailers.join()}`);
}

/** What has come of a reply goes on at once to a client that takes it. */
function checkPrompt(run: Run, { client, script, reply }: ExchangeRecord, last: AttemptRecord): void {
  const { link, script: clientScript, pausedSpans } = client;
  if (link === null || reply === null || pausedSpans.length > 0 || stalledMs(run) > 0) return;
  if (script.hooks.some(({ response }) => response.act !== 'pass' && response.act !== 'set header')) return;
  if (reply.head.fields.has('content-encoding')) return;
  if (clientScript.nature.fromGateway.capacityBytes < (link.writes.at(-1)?.bytes ?? 0)) return;
  const waitedMs = link.writtenMs(reply.end) - endReadMs(last);
  if (waitedMs > PROMPT_MS) run.records.find('late', `the end of the reply to ${script.tag} waits ${waitedMs} ms`);
}

/** A client that has logged in on a connection gets it for its next request to that upstream, while it is idle. */
function checkLogin(run: Run, { client, script }: ExchangeRecord): void {
  const [first] = run.records.attemptsOf(script.tag);
  if (first === undefined || run.controls.length > 0) return;
  const sentMs = first.requestStart === 0 ? first.link.dialledMs : first.link.writtenMs(first.requestStart + 1);
  const login = run.records.attempts.find(
    ({ link, exchange, upstream, head }) =>
      exchange?.client === client &&
      upstream === first.upstream &&
      link !== first.link &&
      /^(?:NTLM|Negotiate)/.test(head.fields.get('authorization')?.join() ?? ''),
  );
  if (login === undefined || login.link.closedMs <= sentMs + SAME_MS || unheardBytes(run, login.link) > 0) return;
  const ofLink = run.records.attempts.filter(({ link }) => link === login.link);
  if (run.records.attempts.some(leavesSurplus) || !ofLink.every((each) => endReadMs(each) < sentMs - SAME_MS)) return;
  run.records.find('request', `${script.tag} leaves the connection on which its client has logged in`);
}

/** So does the failure of a server that breaks its connection, where the request is not sent again. */
function checkPromptFailure(run: Run, exchange: ExchangeRecord): void {
  const { client, script, reply } = exchange;
  const { link } = client;
  const [attempt, other] = run.records.attemptsOf(script.tag);
  if (link === null || reply?.status !== 502 || attempt === undefined || other !== undefined || !isBroken(attempt))
    return;
  if (client.pausedSpans.length > 0 || stalledMs(run) > 0 || isIdempotent(script.method)) return;
  if (script.hooks.some(({ response }) => response.act !== 'pass' && response.act !== 'set header')) return;
  if (client.script.nature.fromGateway.capacityBytes < (link.writes.at(-1)?.bytes ?? 0)) return;
  const waitedMs = link.writtenMs(reply.end) - attempt.link.closedMs;
  if (waitedMs > PROMPT_MS) run.records.find('late', `the failure of ${script.tag} waits ${waitedMs} ms`);
}

/** A side that is slow stops the other one: the gateway holds no more than a few reads of what one has sent and the other not taken. */
function checkHeldBytes({ records }: Run, exchange: ExchangeRecord): void {
  const { client, script, reply } = exchange;
  const { link } = client;
  const attempt = records.attemptsOf(script.tag).at(-1);
  if (link === null || attempt === undefined) return;
  const say = (what: string, bytes: number) => records.find('memory', `${bytes} bytes of the ${what} of ${script.tag}`);
  if (script.body.bytes > MOST_HELD_BYTES) {
    // What comes behind an answer is dropped, and so is what a server that has reset its connection would have got.
    const untilMs = Math.min(timelineOf(exchange).beganMs, attempt.link.closedMs, attempt.link.resetArrivedMs);
    const reads = link.reads.filter(({ atMs }) => atMs < untilMs);
    const bytes = mostHeld(reads, exchange, (atMs) => takenBytes(attempt.link, atMs) - attempt.requestStart);
    if (bytes > MOST_HELD_BYTES) say('request', bytes);
  }
  if (reply === null || attempt.script.bytes <= MOST_HELD_BYTES || reply.head.fields.has('content-encoding')) return;
  const { replyStart, replyEnd, link: server } = attempt;
  // A client that has reset its connection takes nothing more.
  const reads = server.reads.filter(({ atMs }) => atMs < link.resetArrivedMs);
  const ofReply = { start: replyStart, end: replyEnd };
  const bytes = mostHeld(reads, ofReply, (atMs) => takenBytes(link, atMs) - reply.start);
  if (bytes > MOST_HELD_BYTES) say('reply', bytes);
}

/** Twice what the gateway hands to a connection before it stops to read, with room for reads and framing. */
const MOST_HELD_BYTES = 350_000;

/** How many bytes of a message had been read, and not been written, at most. `written`: how many of them the other side had taken. */
function mostHeld(
  reads: readonly Mark[],
  { start, end }: { readonly start: number; readonly end: number },
  written: (atMs: number) => number,
): number {
  let most = 0;
  for (const { atMs, bytes } of reads)
    if (bytes <= end) most = Math.max(most, bytes - start - Math.max(0, written(atMs)));
  return most;
}

const takenBytes = ({ writes }: Link, atMs: number): number => writes.findLast((mark) => mark.atMs <= atMs)?.bytes ?? 0;

/** What waits for the next event of the gateway, or the next tick of its timers, waits longer than that. */
const PROMPT_MS = 5;

/**
 * No request goes to an upstream that the health checks have found ill, but for one whose connection was kept alive and turned out to be
 * dead: it is sent once more where it was sent before.
 */
function checkHealth(run: Run, { script, client }: ExchangeRecord): void {
  for (const { upstream, link, requestStart } of run.records.attemptsOf(script.tag)) {
    const sentMs = requestStart === 0 ? link.dialledMs : link.writtenMs(requestStart + 1);
    const downMs = illSinceMs(run, upstream, sentMs);
    if (!Number.isFinite(downMs)) continue;
    const isSentAgain = run.network.links.some(
      ({ peer, row, dialledMs, closedMs }) =>
        peer === link.peer &&
        row === client.script.row &&
        dialledMs < downMs + SAME_MS &&
        Math.abs(closedMs - sentMs) <= SAME_MS,
    );
    if (!isSentAgain) run.records.find('request', `${script.tag} was sent to an upstream that is ill`);
  }
}

/** Since when an upstream has been ill at some moment; Infinity for not. */
function illSinceMs({ controls }: Run, upstream: number, atMs: number): number {
  let sinceMs = Number.POSITIVE_INFINITY;
  for (const { script, atMs: changedMs } of controls) {
    if (script.what !== 'health' || script.upstream !== upstream) continue;
    if (!script.healthy && changedMs < atMs - SAME_MS) sinceMs = changedMs;
    if (script.healthy && changedMs <= atMs + SAME_MS) sinceMs = Number.POSITIVE_INFINITY;
  }
  return sinceMs;
}

/**
 * A request that may be sent again is: one without a body, whose connections broke before any byte of a reply, where nothing limits the
 * upstreams. The pauses before that are no longer than what is configured, and the shortest are none.
 */
function checkRetries(run: Run, exchange: ExchangeRecord): void {
  const { script, reply } = exchange;
  const attempts = run.records.attemptsOf(script.tag);
  const [way] = waysOf(run, exchange);
  if (attempts.length === 0 || run.controls.length > 0 || way?.route === undefined || way.backend === undefined) return;
  if (!isIdempotent(script.method) || script.body.framing !== 'none' || !isPlain(run, way.backend)) return;
  const isOver = attempts.every(isBroken);
  if (isOver && reply?.status === 502 && attempts.length <= way.route.retries)
    run.records.find('retries', `${script.tag} was sent ${attempts.length} times only`);
  for (const [index, { link, requestStart }] of attempts.entries()) {
    const before = attempts[index - 1];
    if (before === undefined || !isBroken(before)) continue;
    const mostMs = Math.min(way.backend.retryInitialMs * 2 ** (index - 1), LONGEST_PAUSE_MS);
    const sentMs = requestStart === 0 ? link.dialledMs : link.writtenMs(requestStart + 1);
    const pauseMs = sentMs - before.link.closedMs;
    if (pauseMs > (mostMs <= SHORTEST_PAUSE_MS ? SAME_MS : mostMs + lateMs(run)))
      run.records.find('retries', `${script.tag} is sent again after ${pauseMs} ms`);
  }
}

const LONGEST_PAUSE_MS = 250;
/** A shorter pause is none. */
const SHORTEST_PAUSE_MS = 25;

/** Nothing but the servers' replies decides about what is sent to a backend: none is full, left alone, or gone before a request comes. */
function isPlain(run: Run, { maxConnections, breakerThreshold, upstreams }: BackendScript): boolean {
  if (maxConnections !== null || breakerThreshold !== null) return false;
  const addresses = upstreams.map((upstream) => (run.scenario.upstreams[upstream] as UpstreamScript).address);
  return run.network.links.every(
    (link) =>
      !addresses.includes(link.peer) ||
      (Number.isFinite(link.learntMs) && link.failure === null && unheardBytes(run, link) === 0),
  );
}

/** Its connection broke before any byte of its reply. */
function isBroken({ broke, link }: AttemptRecord): boolean {
  return (broke === 'close' || broke === 'reset') && link.reads.length === 0;
}
