import type { Socket } from 'node:net';
import type { BufferPool, Lease } from './buffer-pool.ts';
import type { DriverOwner } from './handle-driver.ts';
import type { SocketDriver } from './socket-driver.ts';

/** Writes that wait until TLS has verified the upstream. */
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
  readonly #owner: Pick<DriverOwner, 'drained'>;
  readonly #buffers: BufferPool;
  /** Null when everything may be written at once. */
  #held: HeldWrites | null;
  /** The system has not taken a write at once: `drained` of the owner is due. */
  #behind = false;

  /** `held`: keeps writes until the socket is opened. */
  constructor(socket: Socket, owner: Pick<DriverOwner, 'drained'>, buffers: BufferPool, held: HeldWrites | null) {
    this.#socket = socket;
    this.#owner = owner;
    this.#buffers = buffers;
    this.#held = held;
  }

  get pendingBytes(): number {
    return (this.#held?.bytes ?? 0) + this.#socket.writableLength;
  }

  text(text: string): void {
    if (this.#held !== null) {
      this.#held.push(text);
      return;
    }
    this.#socket.write(text, 'latin1', this.#taken);
    this.#look();
  }

  bytes(prefix: string, bytes: Buffer, suffix: string, lease: Lease | null): void {
    if (this.#held !== null) {
      this.#held.push(Buffer.concat([Buffer.from(prefix, 'latin1'), bytes, Buffer.from(suffix, 'latin1')]));
      if (lease !== null) this.#buffers.release(lease);
      return;
    }
    const socket = this.#socket;
    socket.cork();
    if (prefix !== '') socket.write(prefix, 'latin1', this.#taken);
    if (lease !== null) socket.write(bytes, (error) => this.#release(lease, error));
    else socket.write(bytes, this.#taken);
    if (suffix !== '') socket.write(suffix, 'latin1', this.#taken);
    socket.uncork();
    this.#look();
  }

  #release(lease: Lease, error: Error | null | undefined): void {
    this.#buffers.release(lease);
    this.#taken(error);
  }

  /** Checks a write that was just made. */
  #look(): void {
    if (this.#socket.writableLength > 0) this.#behind = true;
  }

  /** A write has been taken. `'drain'` comes only if the stream had reached its mark. */
  readonly #taken = (error?: Error | null): void => {
    const { writableLength, destroyed } = this.#socket;
    if (error || destroyed || writableLength > 0 || !this.#behind) return;
    this.#behind = false;
    this.#owner.drained();
  };

  /** Sends the writes that were held. A plain socket sends by itself what was written to it meanwhile. */
  opened(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    this.#socket.cork();
    for (const piece of held.pieces) this.#socket.write(piece, 'latin1', this.#taken);
    this.#socket.uncork();
    this.#look();
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }
}
