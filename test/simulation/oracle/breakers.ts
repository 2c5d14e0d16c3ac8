import type { AttemptRecord } from '../records.ts';
import type { Run } from '../run.ts';
import type { BackendScript, UpstreamScript } from '../scenario/scenario.ts';
import type { Availability } from './availability.ts';
import { endReadMs } from './fate.ts';
import { leavesSurplus } from './surplus.ts';
import { SAME_MS } from './timeline.ts';

/**
 * A breaker that has to be open is: an upstream gets no request for a while, of any worker, when so many in a row have failed as its breaker
 * bears. Looked at is the first time that it opens, and only where nothing else than replies of 5xx, which clients have received, had failed
 * before.
 */
export function checkBreakers(run: Run, availability: Availability): void {
  const { scenario, controls } = run;
  const [config] = scenario.configs;
  if (config === undefined || scenario.configs.length > 1 || controls.some(({ script }) => script.what !== 'health'))
    return;
  for (const backend of config.backends) {
    const routes = config.routes.filter((route) => route.backend === backend.name).map(({ name }) => name);
    for (const upstream of backend.upstreams) {
      const attempts = run.records.attempts.filter((attempt) => attempt.upstream === upstream);
      if (attempts.some(({ exchange }) => exchange === null) || attempts.some(leavesSurplus)) continue;
      const own = attempts.filter(({ exchange }) => routes.includes(exchange?.script.route ?? ''));
      const openMs = openedMs(backend, own, availability.verdictsOf(upstream));
      for (const attempt of own) checkShut(run, attempt, openMs, backend.breakerOpenMs);
    }
  }
}

/** When the breaker of an upstream opened, where that is certain; Infinity for not. */
function openedMs(
  { breakerThreshold }: BackendScript,
  attempts: readonly AttemptRecord[],
  verdicts: ReturnType<Availability['verdictsOf']>,
): number {
  const failed = attempts.filter(hasFailed).sort((one, other) => headMs(one) - headMs(other));
  const first = failed[0];
  const last = failed[(breakerThreshold ?? Number.POSITIVE_INFINITY) - 1];
  if (first === undefined || last === undefined || breakerThreshold === null) return Number.POSITIVE_INFINITY;
  const openMs = headMs(last);
  const before = verdicts.filter((verdict) => verdict.failed && verdict.atMs <= openMs + SAME_MS);
  const isBetween = (atMs: number) => atMs >= headMs(first) - SAME_MS && atMs <= openMs + SAME_MS;
  const mayHaveSucceeded = attempts.some((attempt) => !isServerError(attempt) && isBetween(endReadMs(attempt)));
  return before.length > breakerThreshold || mayHaveSucceeded ? Number.POSITIVE_INFINITY : openMs;
}

/** The client has the head of its reply, which was a failure. */
function hasFailed(attempt: AttemptRecord): boolean {
  const { exchange, tag, number } = attempt;
  return isServerError(attempt) && exchange?.reply?.head.fields.get('x-sim-reply')?.join() === `${tag}/${number}`;
}

function isServerError({ script: { status } }: AttemptRecord): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}

const headMs = ({ link, replyHeadEnd }: AttemptRecord): number => link.readMs(replyHeadEnd);

function checkShut(run: Run, attempt: AttemptRecord, openMs: number, forMs: number): void {
  const { link, tag, upstream, requestStart, exchange } = attempt;
  const sentMs = requestStart === 0 ? link.dialledMs : link.writtenMs(requestStart + 1);
  if (sentMs <= openMs + SAME_MS || sentMs >= openMs + forMs - SAME_MS) return;
  // One whose connection was kept alive and turned out to be dead is sent once more where it was sent before.
  const { address } = run.scenario.upstreams[upstream] as UpstreamScript;
  const isSentAgain = run.network.links.some(
    ({ peer, row, dialledMs, closedMs }) =>
      peer === address &&
      row === exchange?.client.script.row &&
      dialledMs < sentMs &&
      Math.abs(closedMs - sentMs) <= SAME_MS,
  );
  if (!isSentAgain)
    run.records.find(
      'breaker',
      `${tag} was sent ${sentMs - openMs} ms after the breaker of upstream ${upstream} opened`,
    );
}
