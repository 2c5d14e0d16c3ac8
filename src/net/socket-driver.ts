import type { Lease } from './buffer-pool.ts';

/** Gets bytes into one socket, and holds up those that come out; how differs by transport. */
export interface SocketDriver {
  /** Bytes given to it that the system has not taken yet; falls when a whole write has been taken. */
  readonly pendingBytes: number;
  /** Writes text, one byte a character (latin1). */
  text(text: string): void;
  /**
   * Writes `prefix` (latin1), `bytes` and `suffix` (latin1), with one system call where possible. Nobody may write into `bytes`
   * before they are taken: where they are a lease's, one hold of it is given away with the call.
   */
  bytes(prefix: string, bytes: Buffer, suffix: string, lease: Lease | null): void;
  /** The socket is connected; said before its owner hears of it. */
  opened(): void;
  pauseReading(): void;
  resumeReading(): void;
}
