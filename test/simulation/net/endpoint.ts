import type { World } from '../world.ts';
import type { Pipe } from './pipe.ts';

/** What may go wrong, as Linux numbers it. */
export const EINVAL = -22;
export const EPIPE = -32;
const ECONNRESET = -104;
export const ECONNREFUSED = -111;
export const ECANCELED = -125;
export const END_OF_FILE = -4095;

/** Who uses an end of a connection. Each call is an event of its own. */
export interface EndpointUser {
  /** There is something to read: bytes, the end or an error. */
  readable(): void;
  /** There may be room to write. */
  writable(): void;
}

/** Who writes down what the user of an end does. */
export interface EndpointObserver {
  read(bytes: number): void;
  /** It has read the end, or the error that stands in its place. */
  readEnd(): void;
  /** It writes nothing more. */
  ended(): void;
  wrote(bytes: number): void;
  /** The system has taken all of the last write, or has not. */
  written(whole: boolean): void;
  /** Bytes, the end or a reset have arrived. */
  arrived(): void;
  readingChanged(reading: boolean): void;
  closed(how: 'close' | 'reset'): void;
}

/** Nobody does. */
export const NO_USER: EndpointUser = { readable() {}, writable() {} };

/**
 * One end of a TCP connection, as Linux has it:
 *
 *   - who closes with bytes unread, or is sent bytes after it closed, answers with a reset;
 *   - a reset leaves the bytes that have arrived readable; the error is told once, to the first read after them or to the first write;
 *   - after that, reads find the end and writes fail with EPIPE.
 */
export class Endpoint {
  readonly #world: World;
  readonly #in: Pipe;
  readonly #out: Pipe;
  user: EndpointUser = NO_USER;
  observer: EndpointObserver | null = null;
  /** Wants to know when there is something to read. */
  #reading = false;
  #wantsRoom = false;
  #tellsReadable = false;
  #errorTold = false;
  closed = false;

  constructor(world: World, incoming: Pipe, outgoing: Pipe) {
    this.#world = world;
    this.#in = incoming;
    this.#out = outgoing;
    incoming.onArrival = () => this.#arrived();
    outgoing.onRoom = () => this.#roomCame();
  }

  get incoming(): Pipe {
    return this.#in;
  }

  get outgoing(): Pipe {
    return this.#out;
  }

  get reading(): boolean {
    return this.#reading;
  }

  startReading(): void {
    if (!this.#reading) this.observer?.readingChanged(true);
    this.#reading = true;
    this.#tellReadable();
  }

  stopReading(): void {
    if (this.#reading) this.observer?.readingChanged(false);
    this.#reading = false;
  }

  /** Bytes; the number of an error or the end; null for nothing yet. */
  read(max: number): Buffer | number | null {
    if (this.#in.arrivedBytes > 0) {
      const bytes = this.#in.read(max);
      if (this.#reading) this.#tellReadable();
      return bytes;
    }
    if (this.#in.resetArrived || this.#in.finArrived) this.observer?.readEnd();
    if (this.#in.resetArrived) {
      if (this.#errorTold) return END_OF_FILE;
      this.#errorTold = true;
      return ECONNRESET;
    }
    return this.#in.finArrived ? END_OF_FILE : null;
  }

  /** So many of the bytes that were read have come to whoever asked for them. */
  heard(bytes: number): void {
    this.observer?.read(bytes);
  }

  /** How many bytes were taken; `writable` follows when that is not all. Below 0: an error. */
  write(bytes: Buffer): number {
    if (this.#in.resetArrived || this.#out.finWritten) {
      if (this.#errorTold || this.#out.finWritten) return EPIPE;
      this.#errorTold = true;
      return ECONNRESET;
    }
    const taken = this.#out.write(bytes);
    if (taken > 0) this.observer?.wrote(taken);
    if (taken < bytes.length) this.#wantsRoom = true;
    this.observer?.written(taken === bytes.length);
    return taken;
  }

  /** Sends the end behind all that was written. */
  shutDown(): void {
    this.observer?.ended();
    this.#out.end();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.observer?.closed('close');
    this.#reading = false;
    if (this.#in.abandon()) this.#out.reset();
    else this.#out.end();
    this.#in.onRefused = () => this.#out.reset();
  }

  reset(): void {
    if (this.closed) return;
    this.closed = true;
    this.observer?.closed('reset');
    this.#reading = false;
    this.#in.abandon();
    this.#in.onRefused = () => {};
    this.#out.reset();
  }

  #arrived(): void {
    this.observer?.arrived();
    if (this.#in.resetArrived) {
      this.#out.abandon();
      // Writers that wait learn of it.
      this.#roomCame();
    }
    if (this.#reading) this.#tellReadable();
  }

  #tellReadable(): void {
    const there = this.#in.arrivedBytes > 0 || this.#in.finArrived || this.#in.resetArrived;
    if (!there || this.#tellsReadable) return;
    this.#tellsReadable = true;
    this.#world.after(0, 'readable', () => {
      this.#tellsReadable = false;
      if (this.#reading && !this.closed) this.user.readable();
    });
  }

  #roomCame(): void {
    if (!this.#wantsRoom) return;
    this.#wantsRoom = false;
    this.#world.after(0, 'writable', () => {
      if (!this.closed) this.user.writable();
    });
  }
}
