import type { TLSSocket } from 'node:tls';
import type { BufferPool } from './buffer-pool.ts';
import type { DriverOwner } from './handle-driver.ts';
import { type HeldWrites, StreamDriver } from './stream-driver.ts';
import { handleOf, startReading, stopReading } from './stream-handle.ts';

/**
 * For a TLS socket whose handle is read from: the stream does not see the bytes that come in, so that pausing the stream would have no
 * effect. Writes go through the stream all the same: the handle of TLS takes one at a time, and none is done at once.
 */
export class SecureDriver extends StreamDriver {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket, owner: Pick<DriverOwner, 'drained'>, buffers: BufferPool, held: HeldWrites | null) {
    super(socket, owner, buffers, held);
    this.#socket = socket;
  }

  override pauseReading(): void {
    const handle = handleOf(this.#socket);
    if (handle !== null) stopReading(handle);
  }

  override resumeReading(): void {
    const handle = handleOf(this.#socket);
    if (handle !== null) startReading(handle);
  }
}
