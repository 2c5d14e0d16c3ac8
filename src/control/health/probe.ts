import { isDeepStrictEqual } from 'node:util';
import { UpstreamState } from '../../memory/upstream-state.ts';
import type { IoContext } from '../../net/io-context.ts';
import { Timer, type TimerOwner } from '../../net/timer-wheel.ts';
import type { Transport } from '../../net/transport.ts';
import type { Check, CheckEnding, CheckListener } from './check.ts';
import { CheckConnection } from './check-connection.ts';
import { type CheckPlan, onlyConnects, planCheck } from './check-plan.ts';
import { type CheckedUpstream, isSameServer } from './checked-upstream.ts';
import { ConnectCheck } from './connect-check.ts';
import { Thresholds } from './thresholds.ts';

/** What the probes of all upstreams share. */
export interface ProbeContext {
  readonly io: IoContext;
  readonly transport: Transport;
  readonly log: { info(event: string, fields: object): void; warn(event: string, fields: object): void };
  /** From 0 to below 1. */
  random(): number;
  /** Now, in milliseconds of the clock; not just as of the last tick. */
  nowMs(): number;
  /** The thread stands still just now, or did until just now: what went wrong meanwhile may have done so for that. */
  standsStill(): boolean;
  /** The probe's next check is due: it is to `begin` as soon as there is room for another one. */
  checkDue(probe: Probe): void;
  /** A check is over that a probe began. */
  checkEnded(): void;
  /** No check can be made for want of descriptors or ports. */
  starved(): void;
}

/** Intervals are longer or shorter by up to so much of their length, lest many gateways keep step. */
const JITTER = 0.1;

/**
 * The checks of one upstream, one at a time:
 *
 *             start()              interval over             there is room
 *   stopped ----------> waiting ------------------> due ------------------> checking
 *      ^                   ^                                                   |
 *      |                   +--------------- the connection is kept or gone ----+
 *      +--- stop(), from anywhere
 */
export class Probe implements TimerOwner, CheckListener {
  #upstream: CheckedUpstream;
  readonly #context: ProbeContext;
  readonly #state: UpstreamState;
  readonly #thresholds: Thresholds;
  readonly #timer: Timer;
  /** Null: none has been needed since the certificates are others. */
  #plan: CheckPlan | null = null;
  #check: Check | null = null;
  #checking = false;
  /** When the next check is to begin, or when the one under way was to. */
  #plannedMs = 0;

  /** What the shared state says about the upstream is where it begins. */
  constructor(upstream: CheckedUpstream, context: ProbeContext) {
    this.#upstream = upstream;
    this.#context = context;
    this.#state = new UpstreamState(upstream.slot);
    this.#thresholds = new Thresholds(upstream.check, this.#state.healthy);
    this.#timer = new Timer(context.io.wheel, this);
  }

  /** Whether it checks what `upstream` says, certificates aside. */
  isFor(upstream: CheckedUpstream): boolean {
    return isSameServer(upstream, this.#upstream) && isDeepStrictEqual(upstream.check, this.#upstream.check);
  }

  get upstream(): CheckedUpstream {
    return this.#upstream;
  }

  /** Checks begin within one interval, at random: those of many upstreams are spread over it. */
  start(): void {
    const context = this.#context;
    this.#plannedMs = context.nowMs() + context.random() * this.#upstream.check.intervalMs;
    this.#wait();
  }

  /** Ends the check under way without a word. */
  stop(): void {
    this.#timer.release();
    this.#abandon();
  }

  /** From now on with other certificates. A check under way ends as it began. */
  renew(upstream: CheckedUpstream): void {
    const same = isDeepStrictEqual(upstream.tls, this.#upstream.tls);
    this.#upstream = upstream;
    if (!same) this.#plan = null;
  }

  /** Nothing is known of what happened while the thread stood still: a check that was under way counts for nothing. */
  startAnew(): void {
    this.#abandon();
    this.start();
  }

  /** The thread did nothing for a moment: a check under way gets that time on top, and its answer may have come meanwhile. */
  extend(): void {
    // What is armed in this turn gets the lost time from the wheel.
    if (this.#checking && this.#timer.armed) this.#timer.arm(this.#timer.dueMs - this.#context.io.wheel.nowMs);
  }

  timerExpired(): void {
    const { timeoutMs } = this.#upstream.check;
    if (!this.#checking) this.#context.checkDue(this);
    else if (this.#check !== null) this.#check.expire(timeoutMs);
    // To begin threw, which has been reported.
    else this.startAnew();
  }

  timerFailed(): void {
    this.startAnew();
  }

  /** Begins with a check. */
  begin(): void {
    this.#checking = true;
    this.#timer.arm(this.#upstream.check.timeoutMs);
    if (this.#plan !== null && this.#check?.idle) this.#check.ask();
    else this.#connect();
  }

  #connect(): void {
    const { io, transport } = this.#context;
    const { config, check, address, tls } = this.#upstream;
    // One that was kept came about with other certificates.
    this.#check?.abandon();
    this.#plan ??= planCheck(config, check, address, tls);
    const plan = this.#plan;
    this.#check = onlyConnects(plan)
      ? new ConnectCheck(io, plan.target, this)
      : new CheckConnection(io, transport, plan, this);
  }

  checkJudged(failure: string | null): void {
    if (failure !== null && this.#context.standsStill()) return;
    if (!this.#thresholds.count(failure === null)) return;
    this.#state.setHealthy(failure === null, this.#context.nowMs());
    this.#logChange(failure);
  }

  #logChange(failure: string | null): void {
    const { log } = this.#context;
    const { backend, config } = this.#upstream;
    const fields = { backend, upstream: config.key };
    if (failure === null) log.info('upstream-healthy', fields);
    else log.warn('upstream-unhealthy', { ...fields, reason: failure });
  }

  checkOver(ending: CheckEnding): void {
    if (ending === 'stale') {
      this.#connect();
      return;
    }
    if (ending === 'starved') this.#context.starved();
    if (ending !== 'kept') this.#check = null;
    this.#checking = false;
    this.#planNext();
    this.#wait();
    this.#context.checkEnded();
  }

  /** From when this one was to begin, and not from when it did: delays do not add up. */
  #planNext(): void {
    const context = this.#context;
    const factor = 1 - JITTER + 2 * JITTER * context.random();
    this.#plannedMs = Math.max(this.#plannedMs + factor * this.#upstream.check.intervalMs, context.nowMs());
  }

  #wait(): void {
    this.#timer.arm(Math.max(0, this.#plannedMs - this.#context.nowMs()));
  }

  #abandon(): void {
    this.#check?.abandon();
    this.#check = null;
    if (!this.#checking) return;
    this.#checking = false;
    this.#context.checkEnded();
  }
}
