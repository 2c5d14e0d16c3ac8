import { monotonicClock } from '../base/clock.ts';
import type { BackendConfig } from '../config/config.ts';
import { forgetDeadWorker } from '../memory/dead-worker.ts';
import { createSharedMemory, type SharedMemory, type Slot, type Slots } from '../memory/shared-memory.ts';
import { UpstreamState } from '../memory/upstream-state.ts';

type Backends = readonly BackendConfig[];

const upstreamKeys = (backends: Backends): readonly string[] =>
  backends.flatMap(({ name, upstreams }) => upstreams.map(({ key }) => `${name}\n${key}`));

/** Where upstreams and backends are counted: by name and key, so that what stays is counted on over changes of the configuration. */
export class SlotTable {
  readonly #workers: number;
  /** Of the process as a whole. */
  readonly shared: SharedMemory;
  #upstreams = new Map<string, Slot>();
  #backends = new Map<string, Slot>();

  constructor(workers: number) {
    this.#workers = workers;
    this.shared = createSharedMemory({ backends: [] }, workers);
  }

  /** Slots for a configuration; new ones for what is new in it. Nothing changes until `use`. */
  slotsFor(backends: Backends): Slots {
    const keys = upstreamKeys(backends);
    const names = backends.map(({ name }) => name);
    const fresh = this.#memoryFor(keys, names);
    return {
      upstreams: slotsOf(keys, this.#upstreams, fresh),
      backends: slotsOf(names, this.#backends, fresh),
    };
  }

  /** The configuration of these slots is the one that serves. */
  use(backends: Backends, slots: Slots): void {
    const keys = upstreamKeys(backends);
    this.#upstreams = new Map(keys.map((key, index) => [key, slots.upstreams[index] as Slot]));
    this.#backends = new Map(backends.map(({ name }, index) => [name, slots.backends[index] as Slot]));
  }

  /** Forgets what a dead worker counted, and releases its claims. */
  clearRow(row: number): void {
    const slots = [...this.#upstreams.values(), ...this.#backends.values()];
    const memories = new Set([this.shared, ...slots.map(({ memory }) => memory)]);
    for (const memory of memories) forgetDeadWorker(memory, row);
  }

  #memoryFor(keys: readonly string[], names: readonly string[]): SharedMemory {
    const upstreams = keys.filter((key) => !this.#upstreams.has(key));
    const backends = names.filter((name) => !this.#backends.has(name)).map(() => ({ upstreams: [] }));
    const memory = createSharedMemory({ backends: [{ upstreams }, ...backends] }, this.#workers);
    if (this.#backends.size === 0) return memory;
    // What comes while the gateway runs gets its share by and by.
    for (const number of upstreams.keys()) new UpstreamState({ memory, number }).comesUp(monotonicClock.nowMs());
    return memory;
  }
}

function slotsOf(keys: readonly string[], known: ReadonlyMap<string, Slot>, fresh: SharedMemory): readonly Slot[] {
  let next = 0;
  return keys.map((key) => known.get(key) ?? { memory: fresh, number: next++ });
}
