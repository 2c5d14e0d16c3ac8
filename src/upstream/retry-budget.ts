import type { RetryBudgetConfig } from '../config/config.ts';
import type { Slot } from '../memory/shared-memory.ts';
import { SharedRateWindow } from '../memory/shared-rate-window.ts';

/** Requests and retries are counted over one to two of these periods. */
const PERIOD_MS = 5000;

/**
 * How many retries a backend may get, so that they do not multiply a load that it cannot carry: a share of the requests that this
 * worker sent it of late, and a number per second over all workers on top.
 *
 *             until
 *   | before  |  now ...                requests and retries of two periods count: the one that runs, and the one before it
 */
export class RetryBudget {
  readonly #share: number;
  readonly #rateWindow: SharedRateWindow;
  #untilMs = 0;
  #requests = 0;
  #retries = 0;
  #requestsBefore = 0;
  #retriesBefore = 0;

  constructor({ share, minPerSecond }: RetryBudgetConfig, slot: Slot) {
    this.#share = share;
    this.#rateWindow = new SharedRateWindow(slot, minPerSecond);
  }

  /** A request, which is not a retry, goes to the backend. `nowMs`: of the monotonic clock, here and below. */
  countRequest(nowMs: number): void {
    if (nowMs >= this.#untilMs) this.#turn(nowMs);
    this.#requests++;
  }

  /** Takes one retry out of the budget. Returns false if it is used up. */
  tryAcquire(nowMs: number): boolean {
    if (nowMs >= this.#untilMs) this.#turn(nowMs);
    const allowed = this.#share * (this.#requests + this.#requestsBefore);
    if (this.#retries + this.#retriesBefore + 1 <= allowed) {
      this.#retries++;
      return true;
    }
    return this.#rateWindow.tryAcquire(nowMs);
  }

  #turn(nowMs: number): void {
    const follows = nowMs < this.#untilMs + PERIOD_MS;
    this.#requestsBefore = follows ? this.#requests : 0;
    this.#retriesBefore = follows ? this.#retries : 0;
    this.#requests = 0;
    this.#retries = 0;
    this.#untilMs = nowMs + PERIOD_MS;
  }
}
