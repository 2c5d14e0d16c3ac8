import type { Link } from '../net/link.ts';
import type { AttemptRecord, ExchangeRecord } from '../records.ts';
import type { Run } from '../run.ts';
import type { BackendScript, UpstreamScript } from '../scenario/scenario.ts';
import { endReadMs, type Fate, fateOf } from './fate.ts';
import { isDistrusted, leavesSurplus, surplusReadMs } from './surplus.ts';
import {
  backendsNamed,
  configsAt,
  isInVain,
  SAME_MS,
  stalledMs,
  timelineOf,
  unheardBytes,
  waysOf,
} from './timeline.ts';

/** An idle connection may be asked for by another worker: so long it may stay open although somebody waits. */
const HAND_OVER_MS = 400;

/** So long a worker takes at most to learn that it may open a connection. */
const WAKE_UP_MS = 10;

/** So long it takes at most until those who wait look whether another upstream is well. */
const LOOK_MS = 250;

const TICK_MS = 60;

/** Who asks for a connection. */
interface Asked {
  readonly row: number;
  readonly waits: boolean;
}

/** After how many failures in a row a breaker opens, and for how long. */
interface Breaker {
  readonly threshold: number;
  readonly openMs: number;
}

/** How a server was told apart from a well one by what it did. */
interface Verdict {
  readonly atMs: number;
  /** The latest moment of it, where there are several. */
  readonly lastMs?: number;
  readonly failed: boolean;
}

/**
 * Which upstreams can be used when: a model of capacity (connections that are in use for a good reason), of blame (what each server did
 * wrong) and of health.
 */
export class Availability {
  readonly #run: Run;
  readonly #busy = new Map<Link, number>();
  readonly #verdicts = new Map<number, readonly Verdict[]>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Whether at some moment of the span no upstream of the backend could be used. `waits`: as long as another worker gives one up. */
  isUnavailable(name: string, row: number, fromMs: number, toMs: number, waits = true): boolean {
    const backends = backendsNamed(this.#run, name);
    const moments = [fromMs, toMs, ...this.#turns(fromMs, toMs)];
    const asked = { row, waits };
    return backends.some((backend) =>
      moments.some((atMs) => backend.upstreams.every((upstream) => this.#cannotServe(upstream, backend, asked, atMs))),
    );
  }

  /** When anything changed. */
  #turns(fromMs: number, toMs: number): readonly number[] {
    const { network, records, controls } = this.#run;
    const moments = network.links.flatMap(({ dialledMs, closedMs }) => [dialledMs, closedMs, closedMs - SAME_MS]);
    moments.push(...controls.map(({ atMs }) => atMs), ...records.attempts.map(({ arrivedMs }) => arrivedMs));
    return moments.filter((atMs) => atMs > fromMs && atMs < toMs);
  }

  #cannotServe(upstream: number, backend: BackendScript, asked: Asked, atMs: number): boolean {
    return (
      this.#isDown(upstream, backend, atMs) ||
      this.#isFull(upstream, backend, asked, atMs) ||
      this.#mayBeTripped(upstream, backend, atMs)
    );
  }

  #isDown(upstream: number, { queueSize }: BackendScript, atMs: number): boolean {
    let down = false;
    for (const { script, atMs: changedMs } of this.#run.controls) {
      if (script.what !== 'health' || script.upstream !== upstream) continue;
      if (!script.healthy && changedMs <= atMs + SAME_MS) down = true;
      if (!script.healthy || changedMs > atMs - SAME_MS) continue;
      // Who waits learns late that it is well again, and meanwhile may hold all places in the queue.
      const isSeen = changedMs + LOOK_MS <= atMs || queueSize === 0 || this.#othersUnderWay(atMs) < queueSize;
      if (isSeen) down = false;
    }
    return down;
  }

  #isFull(
    upstream: number,
    { maxConnections, queueSize }: BackendScript,
    { row, waits }: Asked,
    atMs: number,
  ): boolean {
    if (maxConnections === null) return false;
    const { address } = this.#run.scenario.upstreams[upstream] as UpstreamScript;
    const inUse = this.#run.network.links.filter((link) => {
      if (link.peer !== address || link.dialledMs > atMs + SAME_MS) return false;
      // What was given up for somebody who waits is theirs, although they have not been woken yet.
      if (link.closedMs < atMs - (this.#othersUnderWay(atMs) > 0 ? WAKE_UP_MS + stalledMs(this.#run) : SAME_MS))
        return false;
      if (link.closedMs < atMs) return true;
      // The next request closes what may not be used again, and it is counted until it is closed.
      if (link.closedMs <= atMs + SAME_MS && isDistrusted(this.#run, upstream, atMs)) return true;
      // Who finds the queue full does not wait until another worker has given up what is idle there.
      const isAskedFor = link.row !== row && (!waits || this.#othersUnderWay(atMs) >= queueSize);
      return isAskedFor || this.#busyUntil(link) >= atMs - SAME_MS;
    });
    // Another try may be given up in the moment in which it begins, before anything of it is seen.
    const isGivenUp =
      inUse.some(({ closedMs }) => Math.abs(closedMs - atMs) <= SAME_MS) || this.#isOverUnseen(row, atMs);
    return inUse.length + (isGivenUp ? 1 : 0) >= maxConnections;
  }

  /** An exchange ended in this moment of which no server has seen anything, or not of its last try. */
  #isOverUnseen(row: number, atMs: number): boolean {
    const { records } = this.#run;
    return records.exchanges.values().some((exchange) => {
      const { client, script, reply } = exchange;
      if (client.script.row !== row || Math.abs(timelineOf(exchange).overMs - atMs) > SAME_MS) return false;
      if (reply?.status === 503 || reply?.head.fields.has('x-sim-reply')) return false;
      const tries = records.attemptsOf(script.tag).length;
      return tries === 0 || waysOf(this.#run, exchange).some(({ route }) => tries <= (route?.retries ?? 0));
    });
  }

  /** How many requests are under way beside the one that is asked about: so many may wait. */
  #othersUnderWay(atMs: number): number {
    let count = -1;
    for (const exchange of this.#run.records.exchanges.values()) {
      const { readMs, overMs } = timelineOf(exchange);
      if (readMs <= atMs + SAME_MS && overMs >= atMs - SAME_MS) count++;
    }
    return count;
  }

  /** Until when a connection to an upstream is in use for a good reason. */
  #busyUntil(link: Link): number {
    const known = this.#busy.get(link);
    if (known !== undefined) return known;
    if (unheardBytes(this.#run, link) > 0) return link.closedMs;
    let untilMs = link.closedMs;
    const attempts = this.#run.records.attempts.filter((attempt) => attempt.link === link);
    const last = attempts.at(-1);
    const isBound = attempts.some(
      ({ script, head }) => /NTLM|Negotiate/.test(script.extraLines) || head.fields.has('authorization'),
    );
    if (last !== undefined && !isBound) {
      const exchange = this.#run.records.exchanges.get(last.tag);
      const life = exchange === undefined ? null : timelineOf(exchange);
      const endMs = holdsReply(exchange)
        ? link.closedMs
        : Math.max(
            last.wholeMs === Number.POSITIVE_INFINITY ? 0 : last.wholeMs,
            endReadMs(last),
            allReadMs(this.#run, last),
          );
      // A client that ends its sending may still take its reply; one that does so in the middle of its request, or resets, is gone.
      const client = exchange?.client.link;
      const isWhole = exchange !== undefined && Number.isFinite(client?.arrivedMs(exchange.end));
      const unreadMs = unreadUntilMs(this.#run, last);
      const goneMs = Math.min(
        life?.overMs ?? 0,
        Math.max(heardResetMs(client), unreadMs),
        isWhole ? link.closedMs : Math.max(heardEndMs(client), unreadMs),
      );
      untilMs = Math.min(endMs, Math.max(goneMs, last.arrivedMs)) + HAND_OVER_MS + stalledMs(this.#run);
    }
    this.#busy.set(link, untilMs);
    return untilMs;
  }

  /** Whether its breaker may be open: for nothing but what the server itself did. */
  #mayBeTripped(upstream: number, backend: BackendScript, atMs: number): boolean {
    if (backend.breakerThreshold === null) return false;
    const { breakerSuccesses } = backend;
    let inARow = 0;
    let trippedMs = Number.NEGATIVE_INFINITY;
    let openMs = backend.breakerOpenMs;
    let failedMs = Number.NEGATIVE_INFINITY;
    let successes = 0;
    for (const { atMs: judgedMs, lastMs, failed } of this.verdictsOf(upstream)) {
      if (judgedMs > atMs + SAME_MS) break;
      if (failed) {
        inARow++;
        successes = 0;
        failedMs = Math.max(failedMs, lastMs ?? judgedMs);
        const settings = this.#breakerOf(backend, judgedMs);
        if (inARow < settings.threshold && !Number.isFinite(trippedMs)) continue;
        trippedMs = failedMs;
        openMs = settings.openMs;
      } else {
        successes++;
        inARow = 0;
        if (successes >= breakerSuccesses && judgedMs > trippedMs + openMs) trippedMs = Number.NEGATIVE_INFINITY;
      }
    }
    if (!Number.isFinite(trippedMs)) return this.#isClose(upstream, backend, atMs);
    if (atMs <= trippedMs + openMs * 1.3 + HAND_OVER_MS) return true;
    // One request at a time probes, and it may not have got through.
    if (this.#isDialled(upstream, atMs) || this.#isUnheard(upstream, atMs)) return true;
    return this.#run.records.attempts.some((attempt) => {
      const { link, requestStart, arrivedMs } = attempt;
      if (attempt.upstream !== upstream) return false;
      if (Math.min(arrivedMs, link.writtenMs(requestStart + 1)) > atMs + HAND_OVER_MS) return false;
      return Math.min(link.closedMs, link.readMs(attempt.replyEnd)) >= atMs - HAND_OVER_MS;
    });
  }

  /**
   * After how many failures the breaker of an upstream opened at some moment, and for how long. A reload leaves open what was opened before
   * it, and requests that began before it go by what they began with.
   */
  #breakerOf({ name, breakerThreshold, breakerOpenMs }: BackendScript, atMs: number): Breaker {
    let [threshold, openMs] = [breakerThreshold ?? Number.POSITIVE_INFINITY, breakerOpenMs];
    if (this.#run.scenario.configs.length === 1) return { threshold, openMs };
    for (const { backends } of configsAt(this.#run, this.#oldestReadMs(atMs), atMs)) {
      for (const each of backends) {
        if (each.name !== name || each.breakerThreshold === null) continue;
        threshold = Math.min(threshold, each.breakerThreshold);
        openMs = Math.max(openMs, each.breakerOpenMs);
      }
    }
    return { threshold, openMs };
  }

  /** When the oldest of the requests that are under way at some moment began. */
  #oldestReadMs(atMs: number): number {
    let oldestMs = atMs;
    for (const exchange of this.#run.records.exchanges.values()) {
      const { readMs, overMs } = timelineOf(exchange);
      if (overMs >= atMs - SAME_MS) oldestMs = Math.min(oldestMs, readMs);
    }
    return oldestMs;
  }

  /** A connection is being opened that carries no request yet, or never will. */
  #isDialled(upstream: number, atMs: number): boolean {
    const { address } = this.#run.scenario.upstreams[upstream] as UpstreamScript;
    return this.#run.network.links.some(
      (link) =>
        link.peer === address &&
        link.dialledMs <= atMs + SAME_MS &&
        Math.min(link.closedMs, link.learntMs) >= atMs - SAME_MS,
    );
  }

  /** A request that the server never reads has been written. */
  #isUnheard(upstream: number, atMs: number): boolean {
    const { address } = this.#run.scenario.upstreams[upstream] as UpstreamScript;
    return this.#run.network.links.some(
      (link) =>
        link.peer === address &&
        link.closedMs >= atMs - HAND_OVER_MS &&
        (link.writes.at(-1)?.atMs ?? Number.POSITIVE_INFINITY) <= atMs + HAND_OVER_MS &&
        unheardBytes(this.#run, link) > 0,
    );
  }

  /**
   * Verdicts of one moment may come in any order, so that successes between failures may have come before or behind them. So may those
   * within the span in which a failure may have been judged.
   */
  #isClose(upstream: number, backend: BackendScript, atMs: number): boolean {
    const failures = this.verdictsOf(upstream).filter(
      ({ failed, atMs: judgedMs }) => failed && judgedMs <= atMs + SAME_MS,
    );
    return failures.some(({ atMs: judgedMs }, last) => {
      const { threshold } = this.#breakerOf(backend, judgedMs);
      if (last + 1 < threshold) return false;
      const inARow = failures.slice(last + 1 - threshold, last + 1);
      const firstMs = Math.min(...inARow.map((failure) => failure.lastMs ?? failure.atMs));
      const between = this.verdictsOf(upstream).filter(
        (verdict) => !verdict.failed && verdict.atMs > firstMs + HAND_OVER_MS && verdict.atMs < judgedMs - HAND_OVER_MS,
      );
      return between.length === 0;
    });
  }

  /** What can be held against a server, or for it, in the order of time. */
  verdictsOf(upstream: number): readonly Verdict[] {
    const known = this.#verdicts.get(upstream);
    if (known !== undefined) return known;
    const verdicts = [...this.#ofAttempts(upstream), ...this.#ofDials(upstream)].sort(
      (one, other) => one.atMs - other.atMs,
    );
    this.#verdicts.set(upstream, verdicts);
    return verdicts;
  }

  *#ofAttempts(upstream: number): Iterable<Verdict> {
    const { scenario, records } = this.#run;
    const backends = scenario.configs.flatMap((config) =>
      config.backends.filter(({ upstreams }) => upstreams.includes(upstream)),
    );
    for (const attempt of records.attempts) {
      if (attempt.upstream !== upstream) continue;
      const fate = fateOf(this.#run, attempt, backends);
      const { status } = attempt.script;
      const surplusMs = surplusReadMs(this.#run, attempt);
      if (Number.isFinite(surplusMs)) yield { atMs: surplusMs, failed: true };
      const isServerError = status >= 500 && status !== 501 && status !== 505;
      if (isServerError && Number.isFinite(fate.headMs)) yield { atMs: fate.headMs, failed: true };
      else if (fate.failures.length > 0) yield { ...spanOf(this.#run, attempt, fate), failed: true };
      else if (fate.whole && isUnspoiled(attempt)) yield { atMs: fate.wholeMs, failed: false };
      else if (this.#missedDeadline(attempt, fate)) yield { atMs: attempt.link.closedMs, failed: true };
    }
  }

  /** A deadline counts against the server that had three quarters of it when the whole request was there for it, however it takes that. */
  #missedDeadline({ exchange, link, requestStart }: AttemptRecord, { headMs }: Fate): boolean {
    if (exchange === null || Number.isFinite(headMs)) return false;
    const { readMs, turnMs, wholeMs } = timelineOf(exchange);
    // It waits for the connection that is opened for it.
    const sentMs = Math.max(wholeMs, requestStart === 0 ? link.dialledMs : link.writtenMs(requestStart + 1));
    return this.#run.scenario.configs.some(({ routes }) =>
      routes.some(({ name, timeoutMs }) => {
        if (name !== exchange.script.route || timeoutMs === null) return false;
        // A client that has left sees no 504, and its request goes on.
        const ranOut =
          exchange.reply?.status === 504 || (exchange.reply === null && link.closedMs >= readMs + timeoutMs);
        return ranOut && Math.max(readMs, turnMs) + timeoutMs - sentMs >= 0.75 * timeoutMs - TICK_MS;
      }),
    );
  }

  /**
   * The server had closed the connection when a request came, or before all of its head was there; or it does not read; or what it had left
   * behind came in the place of the reply.
   */
  *#ofUnheard(link: Link): Iterable<Verdict> {
    const atMs = Math.min(link.resetArrivedMs, link.finArrivedMs);
    // A worker that has stood still may give a request to a connection, and learn of its end before it writes any of it.
    const isDead = stalledMs(this.#run) > 0 && link.closedMs > atMs + SAME_MS;
    if (unheardBytes(this.#run, link) === 0 && !isDead) return;
    for (const attempt of this.#run.records.attempts) {
      if (attempt.link !== link || !leavesSurplus(attempt)) continue;
      const surplusMs = link.readMs(attempt.replyEnd + 1);
      if (Number.isFinite(surplusMs)) yield { atMs: surplusMs, failed: true };
    }
    // A worker that stands still learns of it later.
    if (Number.isFinite(atMs)) yield { atMs, lastMs: Math.max(atMs, heardMsOfStalled(this.#run, link)), failed: true };
    else if (link.closedMs - (link.writes.at(-1)?.atMs ?? 0) > 290) yield { atMs: link.closedMs, failed: true };
  }

  *#ofDials(upstream: number): Iterable<Verdict> {
    const { address } = this.#run.scenario.upstreams[upstream] as UpstreamScript;
    for (const link of this.#run.network.links) {
      if (link.peer !== address) continue;
      if (link.failure === 'refused') yield { atMs: link.dialledMs, failed: true };
      else if (isInVain(link, 290)) yield { atMs: Math.min(link.closedMs, link.dialledMs + 60_000), failed: true };
      else yield* this.#ofUnheard(link);
    }
  }
}

/** A server that fails in several ways is judged by the first that the gateway meets; of a bad head that may be any of its bytes. */
function spanOf(run: Run, attempt: AttemptRecord, { failures, isBad }: Fate): Pick<Verdict, 'atMs' | 'lastMs'> {
  const { link, exchange } = attempt;
  const moments = failures.map(({ atMs }) => atMs);
  // Nothing is read, and so no failure met, while a hook holds the reply.
  if ((isBad || holdsReply(exchange ?? undefined)) && Number.isFinite(link.closedMs)) moments.push(link.closedMs);
  moments.push(heardMsOfStalled(run, link));
  return { atMs: Math.min(...failures.map(({ atMs }) => atMs)), lastMs: Math.max(...moments) };
}

/** When a worker that stands still has learnt of what its server did: by then it has closed the connection. 0 where none does. */
function heardMsOfStalled(run: Run, { closedMs }: Link): number {
  return stalledMs(run) > 0 && Number.isFinite(closedMs) ? closedMs : 0;
}

/** When a client's reset is noticed: behind its end nothing is read any more, and only a write meets it. */
function heardResetMs(client: Link | null | undefined): number {
  if (client === null || client === undefined) return 0;
  return client.finArrivedMs < client.resetArrivedMs ? client.closedMs : heardMs(client, client.resetArrivedMs);
}

/** Until when nothing shows that a client has gone: nothing is read of it while its upstream takes the request slowly. */
function unreadUntilMs({ scenario }: Run, { exchange, pausedSpans }: AttemptRecord): number {
  const client = exchange?.client.link;
  if (client === null || client === undefined || pausedSpans.length === 0) return 0;
  // A stream of Node has read the end while the gateway reads nothing.
  return scenario.transport === 'plain' ? client.closedMs : Math.min(client.endReadMs, client.closedMs);
}

/** When a client's end is noticed. */
function heardEndMs(client: Link | null | undefined): number {
  return client === null || client === undefined ? 0 : heardMs(client, client.finArrivedMs);
}

/** What comes behind all that a client sent is noticed behind it, and the gateway reads that at the pace of the upstream. */
function heardMs(client: Link, arrivedMs: number): number {
  return Math.max(arrivedMs, client.readMs(client.arrivals.at(-1)?.bytes ?? 0));
}

/**
 * A reply that its connection ends is over when all that came of it is read, and that end too: nothing is read while its client takes it
 * slowly.
 */
function allReadMs({ scenario }: Run, { link, script, exchange }: AttemptRecord): number {
  if (script.framing !== 'close') return 0;
  // A stream of Node has read the end while the gateway reads nothing.
  const isUnknown = scenario.transport === 'plain' && (exchange?.client.pausedSpans.length ?? 0) > 0;
  return Math.max(link.readMs(link.arrivals.at(-1)?.bytes ?? 0), isUnknown ? link.closedMs : link.endReadMs);
}

/** No hook has failed with the reply: that may be before its end. */
function isUnspoiled({ exchange }: AttemptRecord): boolean {
  const hooks = exchange?.script.hooks ?? [];
  return exchange?.reply?.status !== 500 || hooks.every(({ response }) => response.act !== 'throw');
}

/** A hook keeps the reply back: bytes of it may have been read from the system, and wait in a buffer of Node. */
function holdsReply(exchange: ExchangeRecord | undefined): boolean {
  return exchange?.script.hooks.some(({ response }) => response.act === 'wait' || response.act === 'never') ?? false;
}
