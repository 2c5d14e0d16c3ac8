import type { Lease } from './buffer-pool.ts';

/** Writes to one socket, and pauses reading from it; each transport has its own way. */
export interface SocketDriver {
  /** Bytes given to it that the system has not taken yet; falls when a whole write has been taken. */
  readonly pendingBytes: number;
  /** Writes text, one byte a character (latin1). */
  text(text: string): void;
  /**
   * Writes `prefix` (latin1), `bytes` and `suffix` (latin1), with one system call where possible. No caller may write into `bytes` before
   * they are taken: if they belong to a lease, the call takes over one hold of it.
   */
  bytes(prefix: string, bytes: Buffer, suffix: string, lease: Lease | null): void;
  /** The socket is connected. Called before its owner gets the event. */
  opened(): void;
  pauseReading(): void;
  resumeReading(): void;
}
