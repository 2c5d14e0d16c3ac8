import type { Socket } from 'node:net';
import type { BufferPool, Lease } from './buffer-pool.ts';
import type { SocketDriver } from './socket-driver.ts';

/** What is to be said to an upstream once TLS has verified who it is. */
export class HeldWrites {
  readonly pieces: (string | Buffer)[] = [];
  bytes = 0;

  push(piece: string | Buffer): void {
    this.pieces.push(piece);
    this.bytes += piece.length;
  }
}

/** Writes through the socket's own `Writable`: public API only. */
export class StreamDriver implements SocketDriver {
  readonly #socket: Socket;
  readonly #buffers: BufferPool;
  /** Null when everything may be written at once. */
  #held: HeldWrites | null;

  /** `held`: keeps what is written until the socket is opened. */
  constructor(socket: Socket, buffers: BufferPool, held: HeldWrites | null) {
    this.#socket = socket;
    this.#buffers = buffers;
    this.#held = held;
  }

  get pendingBytes(): number {
    return (this.#held?.bytes ?? 0) + this.#socket.writableLength;
  }

  text(text: string): void {
    if (this.#held === null) this.#socket.write(text, 'latin1');
    else this.#held.push(text);
  }

  bytes(prefix: string, bytes: Buffer, suffix: string, lease: Lease | null): void {
    if (this.#held !== null) {
      this.#held.push(Buffer.concat([Buffer.from(prefix, 'latin1'), bytes, Buffer.from(suffix, 'latin1')]));
      if (lease !== null) this.#buffers.release(lease);
      return;
    }
    const socket = this.#socket;
    socket.cork();
    if (prefix !== '') socket.write(prefix, 'latin1');
    if (lease === null) socket.write(bytes);
    else socket.write(bytes, () => this.#buffers.release(lease));
    if (suffix !== '') socket.write(suffix, 'latin1');
    socket.uncork();
  }

  /** What was written to a plain socket meanwhile, that sends by itself. */
  opened(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    this.#socket.cork();
    for (const piece of held.pieces) this.#socket.write(piece, 'latin1');
    this.#socket.uncork();
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }
}
