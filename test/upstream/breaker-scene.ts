import { BreakerState } from '../../src/memory/breaker-state.ts';
import type { SharedMemory } from '../../src/memory/shared-memory.ts';
import { CircuitBreaker, type Guarded } from '../../src/upstream/circuit-breaker.ts';

export type BreakerSettings = ConstructorParameters<typeof CircuitBreaker>[0];

export const SETTINGS: BreakerSettings = {
  enabled: true,
  failureThreshold: 5,
  failureRate: null,
  windowMs: 10_000,
  minRequests: 20,
  openTimeoutMs: 60_000,
  successThreshold: 3,
};

/** One worker's view of the breaker of the first upstream of a memory; its time stands until the test sets it. */
export class BreakerView implements Guarded {
  readonly key = '192.0.2.1:80';
  readonly breaker: BreakerState;
  readonly #breakers: CircuitBreaker;
  readonly #time: { eventMs: number };
  /** The events that this worker told of. */
  readonly log: string[] = [];

  constructor(shared: SharedMemory, row: number, settings: Partial<BreakerSettings> = {}, time = { eventMs: 1000 }) {
    this.breaker = new BreakerState({ memory: shared, number: 0 }, row);
    this.#time = time;
    const logAs = (event: string, fields: object) => this.log.push(`${event} ${JSON.stringify(fields)}`);
    const log = { info: logAs, warn: logAs };
    this.#breakers = new CircuitBreaker({ ...SETTINGS, ...settings }, { backend: 'origin', log, time });
  }

  set nowMs(nowMs: number) {
    this.#time.eventMs = nowMs;
  }

  get events(): readonly (string | undefined)[] {
    return this.log.map((line) => line.split(' ')[0]);
  }

  get mayProbe(): boolean {
    return this.#breakers.mayProbe(this);
  }

  get waitMs(): number {
    return this.#breakers.waitMs(this);
  }

  claim(): number {
    return this.#breakers.claim(this);
  }

  answered(claim: number): void {
    this.#breakers.answered(this, claim);
  }

  succeeded(claim = 0): void {
    this.#breakers.succeeded(this, claim);
  }

  failed(claim = 0, reason = 'upstream_reset'): void {
    this.#breakers.failed(this, claim, reason);
  }

  abandoned(claim = 0): void {
    this.#breakers.abandoned(this, claim);
  }

  fail(times: number): void {
    for (let time = 0; time < times; time++) this.failed();
  }

  /** A whole probe that succeeds. */
  probe(): void {
    const claim = this.claim();
    this.answered(claim);
    this.succeeded(claim);
  }
}
