import { timelineOf } from './oracle/timeline.ts';
import type { AttemptRecord, ExchangeRecord } from './records.ts';
import type { Run } from './run.ts';

export type Counts = Map<string, number>;

/** How far an exchange was, as the network and the hosts saw it. */
export const STATES = ['head', 'request hook', 'waiting', 'sent', 'response hook', 'replying'] as const;
type State = (typeof STATES)[number];

/** What may come in each of them. */
export const EVENTS = [
  ...([
    'client fin',
    'client reset',
    'body fault',
    'body pause',
    'deadline',
    'upstream fin',
    'upstream reset',
  ] as const),
  ...(['upstream silence', 'client pauses', 'reload', 'drain', 'death', 'health', 'stall'] as const),
] as const;
type Event = (typeof EVENTS)[number];

/**
 * Pairs that cannot be: an upstream that has nothing of a request does nothing to it, and the deadline of a route begins behind the head,
 * which names the route.
 */
export const IMPOSSIBLE: ReadonlySet<string> = new Set([
  ...(['head', 'request hook', 'waiting'] as const).flatMap((state) =>
    (['upstream fin', 'upstream reset', 'upstream silence'] as const).map((event) => `${state} x ${event}`),
  ),
  'head x deadline',
]);

/** What is wrong is answered in the moment in which it is read: what counts is the state before that. */
const JUST_BEFORE_MS = 0.001;

/** Counts which events met which states in a run. */
export function countCoverage(run: Run, counts: Counts): void {
  for (const exchange of run.records.exchanges.values()) {
    const attempts = run.records.attemptsOf(exchange.script.tag);
    for (const [event, atMs] of eventsOf(run, exchange, attempts)) {
      const state = stateAt(run, exchange, attempts, atMs);
      if (state === null) continue;
      const pair = `${state} x ${event}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  }
}

function* eventsOf(
  run: Run,
  exchange: ExchangeRecord,
  attempts: readonly AttemptRecord[],
): Iterable<readonly [Event, number]> {
  const { client, script } = exchange;
  const life = timelineOf(exchange);
  const { link } = client;
  if (link === null) return;
  yield ['client fin', link.finArrivedMs];
  yield ['client reset', link.resetArrivedMs];
  if (script.fault?.kind === 'chunk') yield ['body fault', life.faultMs - JUST_BEFORE_MS];
  for (const { atBytes } of script.pauses) yield ['body pause', link.readMs(exchange.start + atBytes)];
  for (const { routes } of run.scenario.configs) {
    const { timeoutMs = null } = routes.find(({ name }) => name === script.route) ?? {};
    if (timeoutMs !== null) yield ['deadline', life.readMs + timeoutMs];
  }
  for (const attempt of attempts) {
    yield ['upstream fin', attempt.link.finArrivedMs];
    yield ['upstream reset', attempt.link.resetArrivedMs];
    if (attempt.broke === 'silence') yield ['upstream silence', attempt.brokeMs];
  }
  for (const { fromMs } of client.pausedSpans) yield ['client pauses', fromMs];
  for (const { script: control, atMs } of run.controls) {
    if ('row' in control && control.row !== client.script.row) continue;
    const events = { reload: 'reload', drain: 'drain', die: 'death', health: 'health', stall: 'stall' } as const;
    yield [events[control.what], atMs];
  }
}

function stateAt(run: Run, exchange: ExchangeRecord, attempts: readonly AttemptRecord[], atMs: number): State | null {
  const life = timelineOf(exchange);
  const { link } = exchange.client;
  const begunMs = (link?.readMs(exchange.start + 1) ?? Number.POSITIVE_INFINITY) - JUST_BEFORE_MS;
  if (link === null || atMs < begunMs || atMs > life.overMs || !Number.isFinite(atMs)) return null;
  if (atMs < life.readMs) return 'head';
  if (atMs >= life.beganMs) return 'replying';
  const sent = attempts
    .filter(({ link: upstream, requestStart }) => upstream.writtenMs(requestStart + 1) <= atMs)
    .at(-1);
  if (sent !== undefined) return sent.link.readMs(sent.replyHeadEnd) <= atMs ? 'response hook' : 'sent';
  const { tag } = exchange.script;
  const entered = run.hookLog.entered.filter((each) => each.tag === tag && each.side === 'request').at(-1);
  const act = entered === undefined ? undefined : exchange.script.hooks[entered.hook]?.request;
  if (entered === undefined || act === undefined) return 'waiting';
  const forMs =
    act.act === 'wait'
      ? act.forMs
      : 'afterMs' in act
        ? act.afterMs
        : act.act === 'never'
          ? Number.POSITIVE_INFINITY
          : 0;
  return atMs < entered.atMs + forMs ? 'request hook' : 'waiting';
}
