import { END_OF_FILE, type Endpoint } from '../net/endpoint.ts';
import type { PauseScript } from '../scenario/scenario.ts';
import type { World } from '../world.ts';

const READ_BYTES = 32 * 1024;

/** Who hears what comes. */
export interface Listener {
  heard(bytes: Buffer): void;
  /** The other side ended its stream, or reset the connection. */
  ended(how: 'fin' | 'reset'): void;
}

/** Reads one end of a connection, with pauses as a script says. */
export class Hearer {
  readonly #world: World;
  readonly #endpoint: Endpoint;
  readonly #listener: Listener;
  #pauses: readonly PauseScript[];
  #next = 0;
  #paused = false;
  #held = false;
  heardBytes = 0;
  /** When it did not read although there was something: spans of time. */
  readonly pausedSpans: { fromMs: number; toMs: number }[] = [];

  constructor(world: World, endpoint: Endpoint, listener: Listener, pauses: readonly PauseScript[] = []) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#listener = listener;
    this.#pauses = [...pauses].sort((one, other) => one.atBytes - other.atBytes);
  }

  start(): void {
    if (!this.#pauseIfDue() && !this.#held) this.#endpoint.startReading();
  }

  /** Reads nothing until it is let go, whatever the script says. */
  hold(held: boolean): void {
    if (this.#held === held || this.#endpoint.closed) return;
    this.#held = held;
    if (held) this.#endpoint.stopReading();
    else if (!this.#paused) this.start();
  }

  /** More pauses, each `atBytes` from now on. */
  addPauses(pauses: readonly PauseScript[]): void {
    const added = pauses.map(({ atBytes, forMs }) => ({ atBytes: this.heardBytes + atBytes, forMs }));
    this.#pauses = [...this.#pauses.slice(this.#next), ...added].sort((one, other) => one.atBytes - other.atBytes);
    this.#next = 0;
  }

  readable(): void {
    if (this.#paused || this.#held) return;
    const next = this.#pauses[this.#next];
    const most = next === undefined ? READ_BYTES : Math.max(1, Math.min(READ_BYTES, next.atBytes - this.heardBytes));
    const found = this.#endpoint.read(most);
    if (found === null) return;
    if (typeof found === 'number') {
      this.#endpoint.stopReading();
      // Where a write has met the reset, a read finds the end.
      const isOrderly = found === END_OF_FILE && !this.#endpoint.incoming.resetArrived;
      this.#listener.ended(isOrderly ? 'fin' : 'reset');
      return;
    }
    this.heardBytes += found.length;
    this.#listener.heard(found);
    this.#pauseIfDue();
  }

  #pauseIfDue(): boolean {
    const next = this.#pauses[this.#next];
    if (next === undefined || next.atBytes > this.heardBytes || this.#endpoint.closed) return false;
    this.#next++;
    this.#paused = true;
    this.#endpoint.stopReading();
    const span = { fromMs: this.#world.nowMs, toMs: Number.POSITIVE_INFINITY };
    this.pausedSpans.push(span);
    this.#world.after(next.forMs, 'hear again', () => {
      span.toMs = this.#world.nowMs;
      this.#paused = false;
      // Where more was read at once than lies between two pauses, they are one.
      while ((this.#pauses[this.#next]?.atBytes ?? Number.POSITIVE_INFINITY) <= this.heardBytes) this.#next++;
      if (!this.#endpoint.closed) this.start();
    });
    return true;
  }
}
