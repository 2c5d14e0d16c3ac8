import type { AttemptRecord, ExchangeRecord } from '../records.ts';
import type { Run } from '../run.ts';
import { lateMs, SAME_MS, timelineOf, unheardBytes } from './timeline.ts';

/** How long an upstream that has sent bytes nobody asked for gets a connection of its own for each request. */
const DISTRUST_MS = 60_000;

/**
 * Bytes that nobody asked for may come when the next request is on its way already: nothing tells them from its reply. That may happen
 * once; an upstream that is known to do so gets no second request on a connection.
 */
export function mayBeSurplus(run: Run, exchange: ExchangeRecord): boolean {
  if (run.records.attemptsOf(exchange.script.tag).some((attempt) => isBehindSurplus(run, attempt))) return true;
  // The server may not have heard of the request.
  const { readMs, overMs } = timelineOf(exchange);
  return run.network.links.some((link) => {
    const unheard = unheardBytes(run, link);
    if (link.row !== exchange.client.script.row || unheard === 0) return false;
    if (!run.records.attempts.some((attempt) => attempt.link === link && leavesSurplus(attempt))) return false;
    const heard = (link.writes.at(-1)?.bytes ?? 0) - unheard;
    return link.writes.some(({ bytes, atMs }) => bytes > heard && atMs >= readMs && atMs <= overMs);
  });
}

/** Whether the connection of an attempt may carry bytes that an exchange before it left behind, of which the gateway could not know. */
export function isBehindSurplus(run: Run, attempt: AttemptRecord): boolean {
  const { link, upstream } = attempt;
  const sentMs = link.writtenMs(attempt.requestStart + 1);
  const before = run.records.attempts.filter(
    (other) => other.link === link && other.requestStart < attempt.requestStart,
  );
  if (!before.some(leavesSurplus)) return false;
  return !run.records.attempts.some((other) => {
    if (other.upstream !== upstream || other.link === link || !leavesSurplus(other)) return false;
    const noticedMs = other.link.readMs(other.replyEnd + 1);
    return isUnsolicited(other, noticedMs) && noticedMs < sentMs && noticedMs > sentMs - DISTRUST_MS;
  });
}

/** Whether an attempt comes second on its connection, although it was known that its upstream sends what nobody asks for. */
export function isOnDistrusted(run: Run, { link, upstream, requestStart }: AttemptRecord): boolean {
  if (requestStart === 0 || run.scenario.configs.length > 1) return false;
  const sentMs = link.writtenMs(requestStart + 1);
  return run.records.attempts.some((other) => {
    if (other.upstream !== upstream || !leavesSurplus(other)) return false;
    const noticedMs = other.link.readMs(other.replyEnd + 1);
    return (
      isUnsolicited(other, noticedMs) && noticedMs + SAME_MS < sentMs && noticedMs > sentMs - DISTRUST_MS + lateMs(run)
    );
  });
}

/**
 * Known to be asked for by nothing: the reply was passed on, behind the whole request, the connection was to be used again, and no request
 * was on its way.
 */
function isUnsolicited({ link, script, exchange, requestEnd, replyEnd }: AttemptRecord, noticedMs: number): boolean {
  if (link.writtenMs(requestEnd) >= link.readMs(replyEnd)) return false;
  const isPassedOn = exchange?.reply?.head.fields.has('x-sim-reply') ?? false;
  if (script.closes || script.versionMinor === 0 || !isPassedOn) return false;
  // The server may be slow to read the next request.
  return !link.writes.some(({ bytes, atMs }) => bytes > requestEnd && atMs <= noticedMs);
}

/** When the gateway read bytes that nobody asked for in the place of the reply to this attempt; Infinity for never. */
export function surplusReadMs(run: Run, attempt: AttemptRecord): number {
  const { link, requestStart } = attempt;
  if (!isBehindSurplus(run, attempt)) return Number.POSITIVE_INFINITY;
  const before = run.records.attempts.filter((other) => other.link === link && other.requestStart < requestStart);
  return Math.min(...before.filter(leavesSurplus).map(({ replyEnd }) => link.readMs(replyEnd + 1)));
}

/** Whether an upstream is known at some moment to send what nobody asks for. */
export function isDistrusted(run: Run, upstream: number, atMs: number): boolean {
  return run.records.attempts.some(
    (attempt) =>
      attempt.upstream === upstream && leavesSurplus(attempt) && attempt.link.readMs(attempt.replyEnd + 1) <= atMs,
  );
}

export function leavesSurplus({ script }: AttemptRecord): boolean {
  return script.fault?.kind === 'surplus';
}
