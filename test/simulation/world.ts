import { Random } from '../support/random.ts';

/** Something that is to happen at some moment of simulated time. */
export interface Planned {
  readonly atMs: number;
  /** Decides between events of one moment: drawn, so that each order of them has its turn. */
  readonly key: number;
  readonly label: string;
  work: (() => void) | null;
}

/** Where something can be planned: the world, or the part of it that ends with a worker. */
export interface Scheduler {
  readonly nowMs: number;
  after(delayMs: number, label: string, work: () => void): Planned;
  /** At once, or when the thread whose time this is turns again. */
  whenAwake(label: string, work: () => void): void;
}

/** Runs Node's `process.nextTick` queue and its microtasks, as Node does after each callback of the system. */
const runTicks = (process as unknown as { _tickCallback(): void })._tickCallback;

const FNV_PRIME = 0x0100_0193;

/**
 * Simulated time: a heap of planned events. The next one is the earliest; among those of one moment the drawn key decides.
 *
 * A run must not begin inside a microtask: the ticks of an event would then not run after it.
 */
export class World implements Scheduler {
  readonly #random: Random;
  readonly #heap: Planned[] = [];
  /** Told after each event how many there have been. */
  readonly #watch: (steps: number) => void;
  #hash = 0x811c_9dc5;
  nowMs = 0;
  steps = 0;

  constructor(seed: number, watch: (steps: number) => void = () => {}) {
    this.#random = new Random(seed);
    this.#watch = watch;
  }

  /** Stands for the whole order of events so far: equal for equal runs. */
  get traceHash(): number {
    return this.#hash >>> 0;
  }

  /** Adds something to the trace. */
  note(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, FNV_PRIME);
  }

  after(delayMs: number, label: string, work: () => void): Planned {
    const planned = { atMs: this.nowMs + Math.max(delayMs, 0), key: this.#random.below(2 ** 30), label, work };
    this.#push(planned);
    return planned;
  }

  /** Behind all else that happens in a moment, whatever is planned in it meanwhile. */
  atTheEndOf(atMs: number, label: string, work: () => void): void {
    this.#push({ atMs: Math.max(atMs, this.nowMs), key: 2 ** 30 + this.steps, label, work });
  }

  whenAwake(_label: string, work: () => void): void {
    work();
  }

  cancel(planned: Planned): void {
    planned.work = null;
  }

  /** Runs what is planned up to `untilMs`, or until `isOver`. Returns false when `maxSteps` did not suffice. */
  run(untilMs: number, maxSteps: number, isOver: () => boolean = () => false): boolean {
    for (let left = maxSteps; left > 0; left--) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs || isOver()) {
        this.nowMs = Math.max(this.nowMs, next === undefined || next.atMs > untilMs ? untilMs : this.nowMs);
        return true;
      }
      this.#pop();
      if (next.work === null) continue;
      this.nowMs = next.atMs;
      this.steps++;
      this.#watch(this.steps);
      this.note(Math.round(next.atMs * 1000) ^ next.label.length ^ next.label.charCodeAt(0));
      next.work();
      runTicks.call(process);
    }
    return false;
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Planned;
      if (!isBefore(planned, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Planned;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Planned, heap[below] as Planned)) below++;
      if (!isBefore(heap[below] as Planned, last)) break;
      heap[at] = heap[below] as Planned;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Planned, other: Planned): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.key < other.key);
}
