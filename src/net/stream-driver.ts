import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { BufferPool, Lease } from './buffer-pool.ts';
import type { SocketDriver } from './socket-driver.ts';

/** Writes through the socket's own `Writable`: public API only. */
export class StreamDriver implements SocketDriver {
  readonly #socket: Socket;
  readonly #buffers: BufferPool;
  /** What is to be said to an upstream once TLS has verified who it is; null when that is done, or not to be done. */
  #held: (string | Buffer)[] | null;
  #heldBytes = 0;

  constructor(socket: Socket, buffers: BufferPool) {
    this.#socket = socket;
    this.#buffers = buffers;
    this.#held = socket instanceof TLSSocket && socket.connecting ? [] : null;
  }

  get pendingBytes(): number {
    return this.#heldBytes + this.#socket.writableLength;
  }

  text(text: string): void {
    if (this.#held === null) this.#socket.write(text, 'latin1');
    else this.#hold(this.#held, text);
  }

  bytes(prefix: string, bytes: Buffer, suffix: string, lease: Lease | null): void {
    if (this.#held !== null) {
      this.#hold(this.#held, Buffer.concat([Buffer.from(prefix, 'latin1'), bytes, Buffer.from(suffix, 'latin1')]));
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

  #hold(held: (string | Buffer)[], piece: string | Buffer): void {
    held.push(piece);
    this.#heldBytes += piece.length;
  }

  /** What was written to a plain socket meanwhile, that sends by itself. */
  opened(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    this.#heldBytes = 0;
    this.#socket.cork();
    for (const piece of held) this.#socket.write(piece, 'latin1');
    this.#socket.uncork();
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }
}
