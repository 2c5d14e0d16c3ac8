/** The size of a read, in bytes. Larger reads mean fewer system calls for large bodies; above 64 KiB the gain levels off. */
const READ_BYTES = 64 * 1024;
/** A rewritten head is put before the body bytes that came with it: room for both in one buffer. */
const LEASE_BYTES = READ_BYTES + 8 * 1024;
/** How many free buffers are kept for reuse: 18 MiB. */
const MAX_FREE = 256;

/**
 * A buffer with a count of its users. It goes back to its pool when the count reaches zero.
 */
export class Lease {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(LEASE_BYTES);
  holds = 0;
}

/**
 * The owners of the bytes that sockets read, in one worker:
 *
 *   a socket between messages      reads into `shared`. Its bytes are gone when the callback returns, so bytes that have to last
 *                                  are copied out of it. Every idle socket of the worker points at this one buffer.
 *   a socket in the middle of a    reads into a Lease of its own. A write may borrow the bytes (`holds`), and then the socket
 *   body                           reads on into another one; the last to let go gives it back.
 *
 * Handing `shared` itself to a write would be a leak of one user's bytes into another's reply: an idle socket would read over bytes that
 * the kernel has not taken yet.
 */
export class BufferPool {
  readonly shared: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #free: Lease[] = [];
  /** The lease whose bytes are being handed out by the callback that runs now; null when there is none. */
  lending: Lease | null = null;
  /** Leases that are held. */
  leased = 0;

  take(): Lease {
    const lease = this.#free.pop() ?? new Lease();
    lease.holds = 1;
    this.leased++;
    return lease;
  }

  release(lease: Lease): void {
    if (--lease.holds > 0) return;
    this.leased--;
    if (this.#free.length < MAX_FREE) this.#free.push(lease);
  }
}
