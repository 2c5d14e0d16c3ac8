import type { World } from '../world.ts';
import type { Endpoint, EndpointObserver } from './endpoint.ts';

/** So many bytes since the beginning, at some moment. */
export interface Mark {
  readonly atMs: number;
  readonly step: number;
  readonly bytes: number;
}

/**
 * One connection of the gateway, with what the gateway did on it and when. It knows bytes only: which of them belong to what is for the
 * hosts to say.
 */
export class Link implements EndpointObserver {
  readonly #world: World;
  readonly number: number;
  /** To a client, or to an upstream by its address. */
  readonly peer: string;
  readonly row: number;
  readonly dialledMs: number;
  /** When the connection was there for both sides; Infinity for never. */
  openedMs = Number.POSITIVE_INFINITY;
  /** When the gateway learnt what had become of the dialling; Infinity for never. */
  learntMs = Number.POSITIVE_INFINITY;
  /** What became of the dialling, where that was nothing. */
  failure: 'refused' | 'ignored' | 'given up' | null = null;
  /** When the gateway closed it, or gave up dialling. */
  closedMs = Number.POSITIVE_INFINITY;
  closedHow: 'close' | 'reset' | null = null;
  /** When the gateway wrote its end; Infinity for never. */
  endedMs = Number.POSITIVE_INFINITY;
  /** When the gateway read the end of the other side, or a stream below it; Infinity for never. */
  endReadMs = Number.POSITIVE_INFINITY;
  readonly reads: Mark[] = [];
  readonly writes: Mark[] = [];
  readonly arrivals: Mark[] = [];
  /** The gateway had more to write when it last wrote: the system did not take all. */
  holdsUnwritten = false;
  /** When the gateway began or stopped to read: begun, stopped, begun ... */
  readonly readingTurns: number[] = [];
  /** From where a socket of the simulation dialled; null for a host. */
  dialler: { readonly address: string; readonly port: number } | null = null;
  gatewayEnd: Endpoint | null = null;
  hostEnd: Endpoint | null = null;
  finArrivedMs = Number.POSITIVE_INFINITY;
  resetArrivedMs = Number.POSITIVE_INFINITY;

  constructor(world: World, number: number, peer: string, row: number) {
    this.#world = world;
    this.number = number;
    this.peer = peer;
    this.row = row;
    this.dialledMs = world.nowMs;
  }

  get isOpen(): boolean {
    return this.closedMs === Number.POSITIVE_INFINITY && this.failure === null;
  }

  opened(gatewayEnd: Endpoint, hostEnd: Endpoint): void {
    this.openedMs = this.#world.nowMs;
    this.gatewayEnd = gatewayEnd;
    this.hostEnd = hostEnd;
    gatewayEnd.observer = this;
  }

  /** What a stream below gives on behind the close is read by nobody. */
  read(bytes: number): void {
    if (this.closedMs !== Number.POSITIVE_INFINITY) return;
    this.#mark(this.reads, bytes);
  }

  readEnd(): void {
    this.endReadMs = Math.min(this.endReadMs, this.#world.nowMs);
  }

  ended(): void {
    this.endedMs = Math.min(this.endedMs, this.#world.nowMs);
  }

  wrote(bytes: number): void {
    this.#mark(this.writes, bytes);
  }

  written(whole: boolean): void {
    this.holdsUnwritten = !whole;
  }

  arrived(): void {
    const incoming = (this.gatewayEnd as Endpoint).incoming;
    const bytes = incoming.readBytes + incoming.arrivedBytes - (this.arrivals.at(-1)?.bytes ?? 0);
    if (bytes > 0) this.#mark(this.arrivals, bytes);
    if (incoming.finArrived) this.finArrivedMs = Math.min(this.finArrivedMs, this.#world.nowMs);
    if (incoming.resetArrived) this.resetArrivedMs = Math.min(this.resetArrivedMs, this.#world.nowMs);
  }

  readingChanged(): void {
    this.readingTurns.push(this.#world.nowMs);
  }

  closed(how: 'close' | 'reset'): void {
    this.closedMs = this.#world.nowMs;
    this.closedHow = how;
    this.ended();
  }

  /** When the gateway had read so many bytes, and not only a stream below it; Infinity for never. */
  readMs(bytes: number): number {
    return timeOf(this.reads, bytes);
  }

  /** When the system had taken so many bytes from the gateway; Infinity for never. */
  writtenMs(bytes: number): number {
    return timeOf(this.writes, bytes);
  }

  arrivedMs(bytes: number): number {
    return timeOf(this.arrivals, bytes);
  }

  /** As spans of time, the last one perhaps open. */
  get readingSpans(): readonly { readonly fromMs: number; readonly toMs: number }[] {
    const spans: { fromMs: number; toMs: number }[] = [];
    for (let at = 0; at < this.readingTurns.length; at += 2) {
      spans.push({
        fromMs: this.readingTurns[at] as number,
        toMs: this.readingTurns[at + 1] ?? this.closedMs,
      });
    }
    return spans;
  }

  #mark(marks: Mark[], bytes: number): void {
    const { nowMs, steps } = this.#world;
    marks.push({ atMs: nowMs, step: steps, bytes: (marks.at(-1)?.bytes ?? 0) + bytes });
  }
}

function timeOf(marks: readonly Mark[], bytes: number): number {
  if (bytes <= 0) return Number.NEGATIVE_INFINITY;
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle] as Mark).bytes >= bytes) high = middle;
    else low = middle + 1;
  }
  return marks[low]?.atMs ?? Number.POSITIVE_INFINITY;
}
