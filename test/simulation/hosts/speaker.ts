import type { Endpoint } from '../net/endpoint.ts';
import type { World } from '../world.ts';

/** One thing to do after the other. */
export type Act =
  | { readonly say: Buffer }
  | { readonly waitMs: number }
  /** Goes on when `ready` is called with what it is given. */
  | { readonly until: (ready: () => void) => void }
  | { readonly run: () => void };

/** Sends to one end of a connection what a script says, at the pace of the other side. */
export class Speaker {
  readonly #world: World;
  readonly #endpoint: Endpoint;
  readonly #acts: Act[] = [];
  #said = 0;
  #waiting = false;
  #stopped = false;
  /** Taken by the system, since the beginning. */
  saidBytes = 0;
  /** The system has refused a write: with this number. */
  failure = 0;

  constructor(world: World, endpoint: Endpoint) {
    this.#world = world;
    this.#endpoint = endpoint;
  }

  /** The other side has not taken what is being said. */
  get stuck(): boolean {
    const [act] = this.#acts;
    return act !== undefined && 'say' in act;
  }

  /** Nothing is left to be said. */
  get silent(): boolean {
    return this.#acts.length === 0;
  }

  add(...acts: readonly Act[]): void {
    this.#acts.push(...acts);
    this.goOn();
  }

  /** Nothing more is said. */
  stop(): void {
    this.#stopped = true;
    this.#acts.length = 0;
  }

  /** Called when there may be room. */
  goOn(): void {
    while (!this.#waiting && !this.#stopped) {
      const act = this.#acts[0];
      if (act === undefined) return;
      if ('say' in act) {
        if (!this.#say(act.say)) return;
      } else if ('run' in act) {
        this.#acts.shift();
        act.run();
      } else {
        this.#wait(act);
      }
    }
  }

  #say(bytes: Buffer): boolean {
    if (this.#endpoint.closed) {
      this.stop();
      return false;
    }
    const rest = bytes.subarray(this.#said);
    const taken = rest.length === 0 ? 0 : this.#endpoint.write(rest);
    if (taken < 0) {
      this.failure = taken;
      this.stop();
      return false;
    }
    this.saidBytes += taken;
    this.#said += taken;
    if (this.#said < bytes.length) return false;
    this.#said = 0;
    this.#acts.shift();
    return true;
  }

  #wait(act: Exclude<Act, { say: Buffer } | { run: () => void }>): void {
    this.#waiting = true;
    const ready = () => {
      this.#waiting = false;
      this.#acts.shift();
      this.goOn();
    };
    if ('waitMs' in act) this.#world.after(act.waitMs, 'waited', ready);
    else act.until(ready);
  }
}

/** Bytes with pauses in them, behind so many of them each. */
export function withPauses(
  bytes: Buffer,
  pauses: readonly { readonly atBytes: number; readonly forMs: number }[],
): readonly Act[] {
  const acts: Act[] = [];
  let from = 0;
  for (const { atBytes, forMs } of [...pauses].sort((one, other) => one.atBytes - other.atBytes)) {
    if (atBytes >= bytes.length) break;
    if (atBytes > from) acts.push({ say: bytes.subarray(from, atBytes) });
    from = Math.max(from, atBytes);
    acts.push({ waitMs: forMs });
  }
  if (from < bytes.length) acts.push({ say: bytes.subarray(from) });
  return acts;
}
