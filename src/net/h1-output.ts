import { latin1Text } from '../base/latin1.ts';
import { type Connection, WRITE_HIGH_WATER_BYTES } from './connection.ts';
import type { IoContext } from './io-context.ts';
import type { Flushable } from './output-batch.ts';
import { Timer, type TimerOwner } from './timer-wheel.ts';

/** The owner of an output. */
export interface OutputOwner {
  /** Longest time without the peer taking a byte, in milliseconds; null while that does not count. `watch` is called after a change. */
  readonly sendTimeoutMs: number | null;
  /** All that was sent before `callWhenFlushed` is written. */
  flushed(): void;
  /** The pause that a send asked for is over. */
  holdOver(): void;
  /** The peer took no byte for `sendTimeoutMs`. */
  stalled(): void;
}

/** Bytes up to this many are copied into the text that waits: one write and no buffer to look after. */
const COPY_BYTES = 8 * 1024;

/**
 * The outgoing half of an HTTP/1 connection. Text and small pieces of body gather in one string until the event is over and then
 * leave with one system call; large pieces take the string with them at once.
 */
export class H1Output implements Flushable, TimerOwner {
  readonly #io: IoContext;
  readonly #owner: OutputOwner;
  readonly #timer: Timer;
  #connection: Connection | null = null;
  #pending = '';
  #queued = false;
  #callWhenFlushed = false;
  /** A send returned false: `holdOver` is due. */
  #held = false;
  /** Bytes handed to the connection. */
  #handedBytes = 0;
  /** How many of them the peer had taken when the timer was armed. */
  #takenBytes = 0;
  /** How often something was handed to the connection. */
  writes = 0;

  constructor(io: IoContext, owner: OutputOwner) {
    this.#io = io;
    this.#owner = owner;
    this.#timer = new Timer(io.wheel, this);
  }

  open(connection: Connection): void {
    this.#connection = connection;
  }

  close(): void {
    this.#connection = null;
    this.#pending = '';
    this.#held = false;
    this.#callWhenFlushed = false;
    this.#timer.release();
  }

  /** Sends latin1 text. Returns false to ask for a pause until `holdOver`. */
  text(text: string): boolean {
    this.#pending += text;
    this.#queue();
    return this.#keepsUp();
  }

  /**
   * Sends `prefix`, bytes that are valid during this call only, and `suffix`. Returns false to ask for a pause until `holdOver`.
   */
  bytes(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    if (end - start <= COPY_BYTES) return this.text(prefix + latin1Text(bytes, start, end) + suffix);
    const before = this.#pending + prefix;
    this.#pending = '';
    this.writes++;
    this.#handedBytes += before.length + end - start + suffix.length;
    this.#connection?.writeBytes(before, bytes, start, end, suffix);
    // Queued although nothing is pending: a flush ends a hold and arms the timer for unwritten bytes.
    this.#queue();
    return this.#keepsUp();
  }

  /** Calls `flushed` of the owner when all that was sent in this event has been written, as long as the peer keeps up. */
  callWhenFlushed(): void {
    this.#callWhenFlushed = true;
    this.#queue();
  }

  /** Writes the pending text and then FIN. */
  end(): void {
    this.#write();
    this.#connection?.endWriting();
  }

  flush(): void {
    this.#queued = false;
    this.#write();
    // If this write has ended the hold already, the connection does not report it.
    if (this.#held && this.#unwrittenBytes() < WRITE_HIGH_WATER_BYTES) this.#endHold();
    this.watch();
    if (this.#callWhenFlushed) this.#notifyFlushed();
  }

  /**
   * Not while the peer is slow: the replies to a client that sends requests ahead and reads no reply would fill our memory. A throw ends
   * this connection and is reported with the event.
   */
  #notifyFlushed(): void {
    if (this.#unwrittenBytes() >= WRITE_HIGH_WATER_BYTES) return;
    this.#callWhenFlushed = false;
    try {
      this.#owner.flushed();
    } catch (error) {
      this.#connection?.destroy();
      throw error;
    }
  }

  /** The connection has written everything. */
  drained(): void {
    this.watch();
    this.#endHold();
    if (this.#callWhenFlushed) this.#queue();
  }

  timerExpired(): void {
    const connection = this.#connection;
    if (connection === null || this.#owner.sendTimeoutMs === null)
      throw new Error('the time to take bytes ran out although it did not count');
    // A connection that has just failed has nothing to write any more.
    if (connection.pendingBytes === 0) return;
    if (this.#handedBytes - connection.untakenBytes > this.#takenBytes) this.watch();
    else this.#owner.stalled();
  }

  timerFailed(): void {
    this.#connection?.destroy();
  }

  #queue(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.#io.output.add(this);
  }

  #write(): void {
    const text = this.#pending;
    if (text === '') return;
    this.#pending = '';
    this.writes++;
    this.#handedBytes += text.length;
    this.#connection?.writeText(text);
  }

  #keepsUp(): boolean {
    if (this.#unwrittenBytes() < WRITE_HIGH_WATER_BYTES) return true;
    this.#held = true;
    return false;
  }

  /** The system has not taken all that was sent. */
  get unwritten(): boolean {
    return this.#unwrittenBytes() > 0;
  }

  #unwrittenBytes(): number {
    return (this.#connection?.pendingBytes ?? 0) + this.#pending.length;
  }

  #endHold(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#owner.holdOver();
  }

  /** Arms the timer while something is unwritten and the peer has to take it. */
  watch(): void {
    const connection = this.#connection;
    const { sendTimeoutMs } = this.#owner;
    if (connection === null || connection.pendingBytes === 0 || sendTimeoutMs === null) {
      this.#timer.disarm();
      return;
    }
    // Counted by the bytes that the peer has taken: the number of bytes that it has not taken grows with every write, however quick the
    // peer is.
    const taken = this.#handedBytes - connection.untakenBytes;
    if (this.#timer.armed && taken <= this.#takenBytes) return;
    this.#takenBytes = taken;
    this.#timer.arm(sendTimeoutMs);
  }
}
