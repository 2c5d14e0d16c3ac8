import { type Clock, monotonicClock } from '../../base/clock.ts';
import { RepeatedWarning } from '../../base/repeated-warning.ts';
import { UpstreamState } from '../../memory/upstream-state.ts';
import { IoContext } from '../../net/io-context.ts';
import { TimerWheel } from '../../net/timer-wheel.ts';
import type { Transport } from '../../net/transport.ts';
import type { EventLog } from '../event-log.ts';
import { type CheckedUpstream, isSameServer, keyOf } from './checked-upstream.ts';
import { Probe, type ProbeContext } from './probe.ts';

export interface HealthCheckerOptions {
  readonly transport: Transport;
  readonly log: EventLog;
  /** How many checks there may be at a time. */
  readonly maxChecks: number;
  /** A clock driven by hand: then time passes only when `tick` is called. */
  readonly clock?: Clock;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * After so long without a tick nothing is known: the process was stopped, or the machine slept, and what was under way at that
 * time failed for that. It is more than a busy thread is ever late.
 */
const STANDSTILL_MS = 1000;

/** Ticks further apart than this cost the checks under way time that they should have had. */
const LATE_TICK_MS = 1.5 * TimerWheel.tickMs;

/**
 * The active health checks of all upstreams, in the control thread: each upstream is checked once for all workers, which see the
 * outcome in the shared memory. Only changes are logged.
 */
export class HealthChecker implements ProbeContext {
  readonly io: IoContext;
  readonly transport: Transport;
  readonly log: EventLog;
  readonly random: () => number;
  readonly #maxChecks: number;
  readonly #clock: Clock;
  readonly #ticksItself: boolean;
  #ticking: NodeJS.Timeout | null = null;
  readonly #probes = new Map<string, Probe>();
  /** Those whose check is due and has to wait for another one to end, in that order. */
  readonly #due = new Set<Probe>();
  #checks = 0;
  readonly #starved: RepeatedWarning;

  constructor({ transport, log, maxChecks, clock, random = Math.random }: HealthCheckerOptions) {
    this.#clock = clock ?? monotonicClock;
    this.#ticksItself = clock === undefined;
    this.io = new IoContext(this.#clock, (error) => {
      log.error('internal-error', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    });
    this.transport = transport;
    this.log = log;
    this.random = random;
    this.#maxChecks = maxChecks;
    this.#starved = new RepeatedWarning(this.io.wheel, (fields) => log.warn('health-checks-starved', fields));
  }

  /** Checks under way. */
  get checks(): number {
    return this.#checks;
  }

  /**
   * Checks these from now on. What stays the same is not disturbed; of an upstream whose checks are different the state is kept,
   * and the counts are not; one that is reached in another way, or no longer checked, is healthy.
   */
  use(upstreams: readonly CheckedUpstream[]): void {
    const checked = new Map(upstreams.map((upstream) => [keyOf(upstream), upstream]));
    for (const [key, probe] of this.#probes) if (!checked.get(key)?.check.enabled) this.#remove(key, probe);
    if (this.#probes.size === 0) this.io.tick();
    for (const [key, upstream] of checked) {
      if (upstream.check.enabled) this.#check(key, upstream);
      else this.#makeHealthy(upstream);
    }
    this.#keepTime();
  }

  #check(key: string, upstream: CheckedUpstream): void {
    const before = this.#probes.get(key);
    if (before?.isFor(upstream)) {
      before.renew(upstream);
      return;
    }
    if (before !== undefined) this.#remove(key, before);
    if (before !== undefined && !isSameServer(before.upstream, upstream)) this.#makeHealthy(upstream);
    const probe = new Probe(upstream, this);
    this.#probes.set(key, probe);
    probe.start();
  }

  #remove(key: string, probe: Probe): void {
    this.#probes.delete(key);
    this.#due.delete(probe);
    probe.stop();
  }

  #makeHealthy({ slot, backend, config }: CheckedUpstream): void {
    const state = new UpstreamState(slot);
    if (state.healthy) return;
    state.setHealthy(true, this.nowMs());
    this.log.info('upstream-healthy', { backend, upstream: config.key });
  }

  #keepTime(): void {
    if (this.#probes.size === 0) this.#stopTicking();
    else if (this.#ticksItself) this.#ticking ??= setInterval(() => this.tick(), TimerWheel.tickMs).unref();
  }

  #stopTicking(): void {
    if (this.#ticking !== null) clearInterval(this.#ticking);
    this.#ticking = null;
  }

  /** Lets time pass. Called by an interval, or by whoever drives the clock. */
  tick(): void {
    const sinceMs = this.nowMs() - this.io.wheel.nowMs;
    if (sinceMs > STANDSTILL_MS) this.#startAnew();
    else if (sinceMs > LATE_TICK_MS) for (const probe of this.#probes.values()) probe.extend();
    this.io.tick();
  }

  #startAnew(): void {
    this.#due.clear();
    for (const probe of this.#probes.values()) probe.startAnew();
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  standsStill(): boolean {
    return this.nowMs() - this.io.wheel.nowMs > STANDSTILL_MS;
  }

  checkDue(probe: Probe): void {
    this.#due.add(probe);
    this.#beginDue();
  }

  checkEnded(): void {
    this.#checks--;
    this.#beginDue();
  }

  #beginDue(): void {
    for (const probe of this.#due) {
      if (this.#checks >= this.#maxChecks) return;
      this.#due.delete(probe);
      this.#checks++;
      probe.begin();
    }
  }

  starved(): void {
    this.#starved.warn({ checks: this.#checks });
  }

  close(): void {
    this.#stopTicking();
    this.#due.clear();
    for (const [key, probe] of this.#probes) this.#remove(key, probe);
  }
}
