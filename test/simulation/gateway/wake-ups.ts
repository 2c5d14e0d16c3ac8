import type { WakeUps } from '../../../src/memory/wake-ups.ts';
import type { Planned, World } from '../world.ts';

interface Waiter {
  readonly words: Int32Array;
  readonly index: number;
  readonly woken: () => void;
  readonly timeout: Planned;
}

/** Wake-ups between the workers of one thread: each takes a drawn time, so that they come in each order. */
export class SimulatedWakeUps implements WakeUps {
  readonly #world: World;
  readonly #delayMs: () => number;
  #waiters: Waiter[] = [];

  constructor(world: World, delayMs: () => number) {
    this.#world = world;
    this.#delayMs = delayMs;
  }

  wait(words: Int32Array, index: number, timeoutMs: number, woken: () => void): void {
    const timeout = this.#world.after(timeoutMs, 'wake-up timeout', () => this.#wake(waiter));
    const waiter: Waiter = { words, index, woken, timeout };
    this.#waiters.push(waiter);
  }

  notify(words: Int32Array, index: number): void {
    words[index] = (words[index] as number) + 1;
    this.#wakeAll((waiter) => waiter.index === index && waiter.words.buffer === words.buffer);
  }

  /** Everybody: as when a worker has died. */
  notifyAll(): void {
    this.#wakeAll(() => true);
  }

  #wakeAll(isMeant: (waiter: Waiter) => boolean): void {
    const meant = this.#waiters.filter(isMeant);
    this.#waiters = this.#waiters.filter((waiter) => !isMeant(waiter));
    for (const waiter of meant) {
      this.#world.cancel(waiter.timeout);
      this.#world.after(this.#delayMs(), 'wake-up', waiter.woken);
    }
  }

  #wake(waiter: Waiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter.woken();
  }
}
