import { bodyKindOf } from '../hosts/message-reader.ts';
import { isBodyless } from '../hosts/reply-bytes.ts';
import type { Link } from '../net/link.ts';
import type { AttemptRecord, ExchangeRecord, ReplyRecord } from '../records.ts';
import type { Run } from '../run.ts';
import type { BackendScript, ConfigScript, RouteScript } from '../scenario/scenario.ts';

/** A timer of the gateway runs out up to four ticks late, and a tick may be late itself. */
const LATE_MS = 450;

export const lateMs = (run: Run): number => LATE_MS + stalledMs(run);

/** For so long workers stand still. */
export function stalledMs({ scenario: { control } }: Run): number {
  return control.reduce((sum, each) => (each.what === 'stall' ? sum + each.forMs : sum), 0);
}

/** What happens in the same moment may come in either order. */
export const SAME_MS = 1;

/** When things happened to one exchange, as the network saw it; Infinity for never. */
export interface Timeline {
  /** The gateway had read its head, its fault, all of it; and the reply before it had begun. */
  readonly readMs: number;
  /** The gateway had read its head, and the reply before it was out. */
  readonly turnMs: number;
  readonly faultMs: number;
  readonly wholeMs: number;
  /** The gateway wrote the first byte of its final reply, and the last one. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** The end or the reset of its client had arrived at the gateway. */
  readonly goneMs: number;
  /** It was over in every respect. */
  readonly overMs: number;
  /** Its client can tell a whole reply from one that breaks off. */
  readonly keepsFraming: boolean;
}

export function timelineOf({ client, index, headEnd, faultAt, end, reply, script }: ExchangeRecord): Timeline {
  const { link } = client;
  const never = Number.POSITIVE_INFINITY;
  const keepsFraming = script.versionMinor > 0;
  if (link === null) {
    return {
      readMs: never,
      turnMs: never,
      faultMs: never,
      wholeMs: never,
      beganMs: never,
      endedMs: never,
      goneMs: never,
      overMs: never,
      keepsFraming,
    };
  }
  const beganMs = reply === null ? never : link.writtenMs(reply.start + 1);
  const endedMs = reply === null || !Number.isFinite(reply.end) ? never : endWrittenMs(script.method, reply, link);
  const goneMs = Math.min(link.finArrivedMs, link.resetArrivedMs);
  const before = client.exchanges[index - 1];
  const turn = turnAfter(before);
  const inTurn = (bytes: number) => Math.max(link.readMs(bytes), turn.fromMs);
  return {
    readMs: inTurn(headEnd),
    turnMs: Math.max(inTurn(headEnd), turn.toMs),
    faultMs: faultAt === null ? never : inTurn(faultAt + 1),
    wholeMs: inTurn(end),
    ...{ beganMs, endedMs, goneMs, keepsFraming },
    overMs: Math.min(endedMs, link.closedMs),
  };
}

/** RFC 9112 6.3: a reply without a length is over with its connection. */
function endWrittenMs(method: string, { status, head, end }: ReplyRecord, link: Link): number {
  const isOpen = !isBodyless(method, status) && bodyKindOf(head, 'to the end') === 'to the end';
  return isOpen ? Math.max(link.writtenMs(end), link.endedMs) : link.writtenMs(end);
}

/** When a request that was sent ahead has its turn, at the earliest and at the latest: while the reply before it was written. */
export function turnAfter(before: ExchangeRecord | undefined): { readonly fromMs: number; readonly toMs: number } {
  if (before === undefined) return { fromMs: 0, toMs: 0 };
  const { client, reply } = before;
  const { link, leftMs } = client;
  if (link === null || (reply === null && !Number.isFinite(leftMs)))
    return { fromMs: Number.POSITIVE_INFINITY, toMs: 0 };
  if (reply === null) return { fromMs: 0, toMs: link.closedMs };
  const beganMs = link.writtenMs(reply.start + 1);
  // Behind another one that a slow reader has not taken it may have waited in the gateway, at the longest since it was asked for.
  const fromMs = link.writtenMs(reply.start) === beganMs ? timelineOf(before).readMs : beganMs;
  // Of a client that has left, the gateway may have written what that never read.
  return { fromMs, toMs: Number.isFinite(reply.end) ? link.writtenMs(reply.end) : link.closedMs };
}

/** The configurations of a span: of one exchange, those that it may have begun with. */
export function configsAt(run: Run, fromMs: number, toMs: number): readonly ConfigScript[] {
  const { scenario, controls } = run;
  const first = scenario.configs[0] as ConfigScript;
  const reload = controls.find(({ script }) => script.what === 'reload');
  if (reload === undefined || toMs < reload.atMs) return [first];
  const second = scenario.configs[(reload.script as { config: number }).config] as ConfigScript;
  // A worker that stands still learns of it later.
  return fromMs < reload.atMs + 10 + lateMs(run) - LATE_MS ? [first, second] : [second];
}

/** A route that an exchange may have, with its backend. */
export interface Way {
  readonly config: ConfigScript;
  readonly route: RouteScript | undefined;
  readonly backend: BackendScript | undefined;
}

export function waysOf(run: Run, exchange: ExchangeRecord): readonly Way[] {
  const { readMs, turnMs } = timelineOf(exchange);
  return configsAt(run, readMs, turnMs).map((config) => {
    const route = config.routes.find(({ name }) => name === exchange.script.route);
    const backend = config.backends.find(({ name }) => name === route?.backend);
    return { config, route, backend };
  });
}

/** The backends as they may have been at any time of the run: who waits may meet those of a later configuration. */
export function backendsNamed({ scenario }: Run, name: string | undefined): readonly BackendScript[] {
  return scenario.configs.flatMap(({ backends }) => backends.filter((backend) => backend.name === name));
}

export const isIdempotent = (method: string): boolean => !['POST', 'PATCH'].includes(method);

/** When the system had taken the whole request from the gateway, whether or not the upstream has read it since; Infinity for never. */
function requestWrittenMs({ link, requestEnd, exchange }: AttemptRecord): number {
  if (Number.isFinite(requestEnd)) return link.writtenMs(requestEnd);
  if (link.holdsUnwritten || exchange === null || !Number.isFinite(timelineOf(exchange).wholeMs))
    return Number.POSITIVE_INFINITY;
  return link.writes.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
}

/**
 * The longest of the spans without a byte from the upstream, in which the gateway had sent all and was reading. `replyEndMs`: when it had
 * the whole reply.
 */
export function longestSilence(attempt: AttemptRecord, replyEndMs: number): number {
  const { link } = attempt;
  const writtenMs = requestWrittenMs(attempt);
  const endMs = Math.min(link.closedMs, replyEndMs);
  if (writtenMs >= endMs) return 0;
  const events = [writtenMs, endMs];
  for (const { atMs } of link.arrivals) if (atMs > writtenMs && atMs < endMs) events.push(atMs);
  for (const { fromMs, toMs } of link.readingSpans) {
    if (fromMs > writtenMs && fromMs < endMs) events.push(fromMs);
    if (toMs > writtenMs && toMs < endMs) events.push(toMs);
  }
  events.sort((one, other) => one - other);
  let longest = 0;
  for (let at = 1; at < events.length; at++) {
    const [fromMs, toMs] = [events[at - 1] as number, events[at] as number];
    const isReading = link.readingSpans.some((span) => span.fromMs <= fromMs && span.toMs >= toMs);
    if (isReading) longest = Math.max(longest, toMs - fromMs);
  }
  return longest;
}

/** The gateway has given up to open it after so many milliseconds, or later. */
export function isInVain({ learntMs, dialledMs, closedMs }: Link, afterMs: number): boolean {
  return !Number.isFinite(learntMs) && closedMs - dialledMs >= afterMs;
}

/** How many bytes the gateway has written behind the requests that the server has heard of. */
export function unheardBytes({ records }: Run, link: Link): number {
  const heard = records.attempts.filter((attempt) => attempt.link === link).at(-1);
  const written = link.writes.at(-1)?.bytes ?? 0;
  if (heard === undefined || Number.isFinite(heard.requestEnd)) return Math.max(0, written - (heard?.requestEnd ?? 0));
  // It does not read the last request to its end, which it has answered: what was written from then on is the next one.
  const answeredStep = link.reads.find(({ bytes }) => bytes >= heard.replyEnd)?.step ?? Number.POSITIVE_INFINITY;
  return written - (link.writes.findLast(({ step }) => step < answeredStep)?.bytes ?? written);
}
