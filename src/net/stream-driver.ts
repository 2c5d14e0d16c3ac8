import type { Socket } from 'node:net';
import type { BufferPool, Lease } from './buffer-pool.ts';
import type { SocketDriver } from './socket-driver.ts';

/** Writes through the socket's own `Writable`: public API only. */
export class StreamDriver implements SocketDriver {
  readonly #socket: Socket;
  readonly #buffers: BufferPool;

  constructor(socket: Socket, buffers: BufferPool) {
    this.#socket = socket;
    this.#buffers = buffers;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  text(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  bytes(prefix: string, bytes: Buffer, suffix: string, lease: Lease | null): void {
    const socket = this.#socket;
    socket.cork();
    if (prefix !== '') socket.write(prefix, 'latin1');
    if (lease === null) socket.write(bytes);
    else socket.write(bytes, () => this.#buffers.release(lease));
    if (suffix !== '') socket.write(suffix, 'latin1');
    socket.uncork();
  }

  opened(): void {
    // What was written meanwhile, the socket sends by itself.
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }
}
