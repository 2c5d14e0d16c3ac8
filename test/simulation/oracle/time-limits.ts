import type { AttemptRecord, ExchangeRecord } from '../records.ts';
import type { Run } from '../run.ts';
import type { BackendScript } from '../scenario/scenario.ts';
import { endArrivedMs, endReadMs } from './fate.ts';
import { backendsNamed, configsAt, lateMs, longestSilence, timelineOf, waysOf } from './timeline.ts';

/** What takes longer than a timeout allows has been ended: nothing of it goes on later. */
export function checkTimeLimits(run: Run, exchange: ExchangeRecord): void {
  const ways = waysOf(run, exchange);
  const names = new Set(ways.map(({ backend }) => backend?.name));
  const backends = [...names].flatMap((name) => backendsNamed(run, name));
  checkUpload(run, exchange);
  const limitsMs = ways.map(({ route }) => route?.timeoutMs ?? Number.POSITIVE_INFINITY);
  const { readMs, turnMs } = timelineOf(exchange);
  const deadlineMs = Math.max(readMs, turnMs) + Math.max(...limitsMs) + lateMs(run);
  for (const attempt of run.records.attemptsOf(exchange.script.tag)) {
    checkSilence(run, attempt, backends);
    const endMs = endReadMs(attempt);
    if (Number.isFinite(endMs) && endMs > deadlineMs)
      run.records.find(
        'timeout',
        `the deadline of ${exchange.script.tag} passed ${endMs - deadlineMs} ms before its reply`,
      );
  }
}

/** A stream of Node that is paused goes on to read from the system: only without one is it known when the gateway reads. */
function checkSilence(run: Run, attempt: AttemptRecord, backends: readonly BackendScript[]): void {
  if (run.scenario.transport !== 'onread' || !Number.isFinite(attempt.requestEnd)) return;
  const limitMs = Math.max(...backends.map(({ readTimeoutMs }) => readTimeoutMs)) + lateMs(run);
  const silentMs = longestSilence(attempt, endArrivedMs(attempt));
  if (silentMs > limitMs) run.records.find('timeout', `the upstream of ${attempt.tag} was silent for ${silentMs} ms`);
}

/** A client that sends nothing of its body, while the gateway reads, has so much time. */
function checkUpload(run: Run, exchange: ExchangeRecord): void {
  const { client, script, headEnd, end, reply } = exchange;
  const { link } = client;
  const { readMs, turnMs, overMs, beganMs } = timelineOf(exchange);
  // A hook of the reply may hold back what it has come to.
  const isHeld = script.hooks.some(({ response }) => response.act !== 'pass' && response.act !== 'set header');
  if (run.scenario.transport !== 'onread' || isHeld) return;
  if (link === null || script.body.framing === 'none' || script.expects || !Number.isFinite(readMs)) return;
  const limitMs = Math.max(...configsAt(run, readMs, overMs).map(({ server }) => server.bodyTimeoutMs)) + lateMs(run);
  let lastMs = Math.max(link.arrivedMs(headEnd), readMs);
  if (link.arrivedMs(end) <= lastMs) return;
  for (const { atMs, bytes } of link.arrivals) {
    if (bytes <= headEnd || atMs < readMs) continue;
    // Of a request that was sent ahead the time counts when it has its turn.
    const fromMs = Math.max(lastMs, turnMs);
    const toMs = Math.min(atMs, beganMs, overMs);
    const isRead = link.readingSpans.some((span) => span.fromMs <= fromMs && span.toMs >= toMs);
    if (toMs - fromMs > limitMs && isRead)
      run.records.find(
        'timeout',
        `the body of ${script.tag} stopped for ${toMs - fromMs} ms, and got ${reply?.status}`,
      );
    if (bytes >= end) return;
    lastMs = atMs;
  }
}
