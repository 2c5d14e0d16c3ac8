import type { AttemptRecord, ExchangeRecord } from '../records.ts';
import type { Run } from '../run.ts';

/** How long an upstream that has sent bytes nobody asked for gets a connection of its own for each request. */
const DISTRUST_MS = 60_000;

/**
 * Bytes that nobody asked for may come when the next request is on its way already: nothing tells them from its reply. That may happen
 * once; an upstream that is known to do so gets no second request on a connection.
 */
export function mayBeSurplus(run: Run, exchange: ExchangeRecord): boolean {
  return run.records.attemptsOf(exchange.script.tag).some((attempt) => isBehindSurplus(run, attempt));
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
    if (!isUnsolicited(run, other, noticedMs)) return false;
    return other.link.row === link.row && noticedMs < sentMs && noticedMs > sentMs - DISTRUST_MS;
  });
}

/** Known to be asked for by nothing: the connection was to be used again, and no request was on its way. */
function isUnsolicited({ records }: Run, { link, script, requestStart }: AttemptRecord, noticedMs: number): boolean {
  if (script.closes || script.versionMinor === 0) return false;
  return !records.attempts.some(
    (next) =>
      next.link === link && next.requestStart > requestStart && link.writtenMs(next.requestStart + 1) <= noticedMs,
  );
}

/** When the gateway read bytes that nobody asked for in the place of the reply to this attempt; Infinity for never. */
export function surplusReadMs(run: Run, attempt: AttemptRecord): number {
  const { link, requestStart } = attempt;
  if (!isBehindSurplus(run, attempt)) return Number.POSITIVE_INFINITY;
  const before = run.records.attempts.filter((other) => other.link === link && other.requestStart < requestStart);
  return Math.min(...before.filter(leavesSurplus).map(({ replyEnd }) => link.readMs(replyEnd + 1)));
}

export function leavesSurplus({ script }: AttemptRecord): boolean {
  return script.fault?.kind === 'surplus';
}
