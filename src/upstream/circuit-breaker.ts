import type { CircuitBreakerConfig } from '../config/config.ts';
import type { BreakerState } from '../memory/breaker-state.ts';
import {
  answered,
  claimed,
  claimOf,
  completed,
  opened,
  PHASE,
  type Phase,
  phaseOf,
  probeFailed,
  released,
} from '../memory/breaker-word.ts';

/** An upstream, as its breaker sees it. */
export interface Guarded {
  /** Names it in the log. */
  readonly key: string;
  readonly breaker: BreakerState;
}

/** The context of the breakers of one backend. */
export interface BreakerContext {
  /** The name of the backend, for the log. */
  readonly backend: string;
  readonly log: { info(event: string, fields: object): void; warn(event: string, fields: object): void };
  readonly time: { readonly eventMs: number };
}

/** The claim of an attempt that is no probe. */
export const NO_CLAIM = 0;
/** Another worker has the probe. */
export const CLAIM_LOST = -1;

/**
 * The circuit breakers of one backend's upstreams: its settings, applied to what all workers remember of each (`BreakerState`). Each
 * attempt is reported once, with `succeeded`, `failed` or `abandoned`, and a probe with `answered` before that. `claim` is what `claim()`
 * returned for the attempt, or NO_CLAIM.
 *
 * An attempt that began before the breaker opened says nothing about the time after that: it is not counted.
 */
export class CircuitBreaker {
  readonly #settings: CircuitBreakerConfig;
  readonly #context: BreakerContext;

  constructor(settings: CircuitBreakerConfig, context: BreakerContext) {
    this.#settings = settings;
    this.#context = context;
  }

  /** Whether an upstream whose breaker is not closed may be sent a request now: the claim may still be lost. */
  mayProbe({ breaker }: Guarded): boolean {
    const phase = phaseOf(breaker.word);
    return phase === PHASE.CLOSED || phase === PHASE.HALF_OPEN || this.#isDue(breaker);
  }

  /** The time until an open breaker may be probed, in milliseconds; 0 if it may be probed at any time. */
  waitMs({ breaker }: Guarded): number {
    if (phaseOf(breaker.word) !== PHASE.OPEN) return 0;
    return Math.max(0, breaker.probeFromMs - this.#context.time.eventMs);
  }

  #isDue({ probeFromMs }: BreakerState): boolean {
    return this.#context.time.eventMs >= probeFromMs;
  }

  /** Asks for the probe: a claim, NO_CLAIM when the breaker has been closed, or CLAIM_LOST. */
  claim(upstream: Guarded): number {
    const { breaker } = upstream;
    const { successThreshold } = this.#settings;
    for (;;) {
      const before = breaker.word;
      const after = claimed(before, breaker.row, this.#isDue(breaker), successThreshold);
      if (after === before) return phaseOf(before) === PHASE.CLOSED ? NO_CLAIM : CLAIM_LOST;
      if (this.#step(upstream, before, after, 'the last probe is still being answered')) {
        return phaseOf(after) === PHASE.CLOSED ? NO_CLAIM : claimOf(after);
      }
    }
  }

  /** The head of a probe's reply is here, and is no failure. */
  answered(upstream: Guarded, claim: number): void {
    this.#apply(upstream, (word) => answered(word, claim, this.#settings.successThreshold), 'probes succeeded');
  }

  succeeded(upstream: Guarded, claim: number): void {
    upstream.breaker.countSuccess();
    if (claim === NO_CLAIM) return;
    this.#apply(upstream, (word) => completed(word, claim, this.#settings.successThreshold), 'probes succeeded');
  }

  /** `reason`: of the failure, for the log. */
  failed(upstream: Guarded, claim: number, reason: string): void {
    if (phaseOf(upstream.breaker.word) === PHASE.CLOSED) this.#countFailure(upstream, reason);
    else if (claim !== NO_CLAIM) this.#apply(upstream, probeFailed, `a probe failed: ${reason}`);
  }

  /** The attempt ended without an outcome for the upstream. */
  abandoned(upstream: Guarded, claim: number): void {
    if (claim !== NO_CLAIM) this.#apply(upstream, (word) => released(word, claim), '');
  }

  #countFailure(upstream: Guarded, reason: string): void {
    const { breaker } = upstream;
    const { failureThreshold, windowMs } = this.#settings;
    breaker.enterWindow(this.#context.time.eventMs, windowMs);
    const inARow = breaker.countFailure();
    const verdict = inARow >= failureThreshold ? `${inARow} failures in a row` : this.#rateVerdict(breaker);
    if (verdict !== null) this.#apply(upstream, opened, `${verdict}, the last one: ${reason}`);
  }

  #rateVerdict(breaker: BreakerState): string | null {
    const { failureRate, minRequests } = this.#settings;
    if (failureRate === null) return null;
    const { requests, failures } = breaker.tally;
    if (requests < minRequests || failures < failureRate * requests) return null;
    return `${failures} of ${requests} requests failed`;
  }

  /** Makes a step of the word, while other workers may make steps too. */
  #apply(upstream: Guarded, transition: (word: number) => number, reason: string): void {
    const { breaker } = upstream;
    for (;;) {
      const before = breaker.word;
      const after = transition(before);
      if (after === before || this.#step(upstream, before, after, reason)) return;
    }
  }

  #step(upstream: Guarded, before: number, after: number, reason: string): boolean {
    const [from, to] = [phaseOf(before), phaseOf(after)];
    this.#prepare(upstream.breaker, to, claimOf(before) !== claimOf(after));
    if (!upstream.breaker.swap(before, after)) return false;
    this.#logStep(upstream, from, to, reason);
    return true;
  }

  /**
   * Writes the numbers that have to be there when other workers see the step. If the step is not made they do no harm: the worker that
   * makes it writes nearly the same.
   */
  #prepare(breaker: BreakerState, to: Phase, newClaim: boolean): void {
    const { eventMs } = this.#context.time;
    if (to === PHASE.OPEN || newClaim) breaker.probeFromMs = eventMs + this.#settings.openTimeoutMs;
    if (to !== PHASE.CLOSED) return;
    breaker.upSinceMs = eventMs;
    breaker.forgetFailures();
  }

  /** The worker that makes the step logs it: once, over all workers. */
  #logStep(upstream: Guarded, from: Phase, to: Phase, reason: string): void {
    const { backend, log } = this.#context;
    const fields = { backend, upstream: upstream.key };
    if (to === PHASE.OPEN) log.warn('breaker-opened', { ...fields, reason });
    if (from === PHASE.OPEN && to === PHASE.PROBING) log.info('breaker-half-open', fields);
    if (from !== PHASE.CLOSED && to === PHASE.CLOSED) log.info('breaker-closed', { ...fields, reason });
  }
}
