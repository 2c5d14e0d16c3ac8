import type { Random } from '../../support/random.ts';
import type { World } from '../world.ts';

/** How bytes travel in one direction. */
export interface PipeNature {
  /** How many bytes may be under way or unread. */
  readonly capacityBytes: number;
  readonly latencyMs: number;
  /** The most bytes that arrive at once; each segment has a drawn length up to that. */
  readonly segmentBytes: number;
  /** What is under way when the connection is reset arrives before that, as on loopback. */
  readonly keepsOnReset?: boolean;
}

/** Segments below this size are for the first bytes only: a megabyte bytewise would take all the time of a run. */
const SMALL_SEGMENT_BYTES = 512;
const BYTES_IN_SMALL_SEGMENTS = 700;

/**
 * Bytes in one direction of a connection.
 *
 *   written ---> under way ---> arrived ---> read          all of them together: at most `capacityBytes`
 *
 * After them may come the end (FIN), or, in the place of what is under way, a reset.
 */
export class Pipe {
  readonly #world: World;
  readonly #random: Random;
  readonly #nature: PipeNature;
  #chunks: Buffer[] = [];
  #length = 0;
  #arriving = false;
  #finWritten = false;
  #resetWritten = false;
  /** Bytes that the reader may have. */
  arrivedBytes = 0;
  /** The end has arrived, behind all bytes. */
  finArrived = false;
  resetArrived = false;
  /** Since the beginning. */
  writtenBytes = 0;
  readBytes = 0;
  /** Something has arrived. */
  onArrival: () => void = () => {};
  /** There is room again. */
  onRoom: () => void = () => {};
  /** The reader is gone: whatever arrives is refused. */
  onRefused: (() => void) | null = null;

  constructor(world: World, random: Random, nature: PipeNature) {
    this.#world = world;
    this.#random = random;
    this.#nature = nature;
  }

  get room(): number {
    return this.#finWritten || this.#resetWritten ? 0 : this.#nature.capacityBytes - this.#length;
  }

  get finWritten(): boolean {
    return this.#finWritten;
  }

  /** Takes as many bytes as there is room for, copied. Returns how many. */
  write(bytes: Buffer): number {
    const taken = Math.min(this.room, bytes.length);
    if (taken <= 0) return 0;
    this.#chunks.push(Buffer.from(bytes.subarray(0, taken)));
    this.#length += taken;
    this.writtenBytes += taken;
    this.#arriveLater();
    return taken;
  }

  end(): void {
    if (this.#finWritten || this.#resetWritten) return;
    this.#finWritten = true;
    this.#arriveLater();
  }

  /** What has not arrived is lost, all or a part of it. */
  reset(): void {
    if (this.#resetWritten) return;
    this.#resetWritten = true;
    const underWay = this.#length - this.arrivedBytes;
    const kept = this.#nature.keepsOnReset ? underWay : this.#random.below(underWay + 1);
    this.#truncate(this.arrivedBytes + kept);
    this.#arriveLater();
  }

  /** Up to `max` of the bytes that have arrived. */
  read(max: number): Buffer {
    const wanted = Math.min(max, this.arrivedBytes);
    const parts: Buffer[] = [];
    let left = wanted;
    while (left > 0) {
      const first = this.#chunks[0] as Buffer;
      if (first.length <= left) {
        parts.push(first);
        this.#chunks.shift();
        left -= first.length;
      } else {
        parts.push(first.subarray(0, left));
        this.#chunks[0] = first.subarray(left);
        left = 0;
      }
    }
    const wasFull = this.room <= 0;
    this.#length -= wanted;
    this.arrivedBytes -= wanted;
    this.readBytes += wanted;
    if (wasFull && wanted > 0) this.onRoom();
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** The reader is gone: nothing arrives any more. Returns whether bytes are lost by that. */
  abandon(): boolean {
    const lost = this.arrivedBytes > 0;
    this.#truncate(0);
    this.arrivedBytes = 0;
    return lost;
  }

  #truncate(length: number): void {
    const kept = Buffer.concat(this.#chunks).subarray(0, length);
    this.#chunks = kept.length === 0 ? [] : [kept];
    this.#length = kept.length;
  }

  #arriveLater(): void {
    if (this.#arriving) return;
    this.#arriving = true;
    this.#world.after(this.#nature.latencyMs, 'arrive', () => this.#arrive());
  }

  #arrive(): void {
    this.#arriving = false;
    const underWay = this.#length - this.arrivedBytes;
    if (this.onRefused !== null) {
      this.#truncate(this.arrivedBytes);
      if (underWay > 0) this.onRefused();
      return;
    }
    const segment = this.#segment(underWay);
    this.arrivedBytes += segment;
    this.#world.note(segment);
    if (segment < underWay) this.#arriveLater();
    else if (this.#resetWritten) this.resetArrived = true;
    else if (this.#finWritten && (segment === 0 || this.#random.below(2) === 0)) this.finArrived = true;
    else if (this.#finWritten) this.#arriveLater();
    this.onArrival();
  }

  #segment(underWay: number): number {
    const { segmentBytes } = this.#nature;
    const small = segmentBytes < SMALL_SEGMENT_BYTES && this.readBytes + this.arrivedBytes < BYTES_IN_SMALL_SEGMENTS;
    const most = small ? segmentBytes : Math.max(segmentBytes, SMALL_SEGMENT_BYTES * 128);
    if (underWay <= 1 || this.#random.below(3) === 0) return Math.min(underWay, most);
    return Math.min(underWay, 1 + this.#random.below(most));
  }
}
