import type { TlsClient } from './tls-client.ts';

/** Unwritten bytes from which on a connection counts as slow. */
export const WRITE_HIGH_WATER_BYTES = 64 * 1024;

/** The receiver of the events of a connection. Every call but `closed` may close the connection itself. */
export interface ByteReceiver {
  /** True while the bytes expected next belong to a body: the connection then reads into a buffer of its own. */
  readonly inBody: boolean;
  /** An outgoing connection is open. */
  connected(): void;
  /** Bytes stand in `bytes` from `start` to `end`, during this call only. */
  received(bytes: Buffer, start: number, end: number): void;
  /** The peer will send no more (FIN); writing is still possible. */
  ended(): void;
  /** The system has taken all that was written, after `pendingBytes` was above 0. */
  writable(): void;
  /**
   * The peer has closed the connection while we write, and bytes that it sent before may not have been read yet. Returns true to read them:
   * nothing can be written any more, and `closed` follows instead of `ended`, so that the end does not look orderly.
   */
  writingFailed(): boolean;
  /** The connection is gone. Called exactly once. `failure` is the system's error code (`ECONNRESET`), null when it was orderly. */
  closed(failure: string | null): void;
}

/** A stream of bytes in both directions, to a client or to an upstream. */
export interface Connection {
  /** The peer's IP address without IPv6 mapping, `unix:` for a socket without one; and its port, 0 without one. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Our own end: the address and the port that the peer connected to; `unix:` and 0 on a Unix socket. */
  readonly localAddress: string;
  readonly localPort: number;
  /** The subject of the peer's certificate, as `formatSubject` writes it; null without one. Settled when data comes. */
  readonly certificateSubject: string | null;
  /** Sends text, one byte a character (latin1). */
  writeText(text: string): void;
  /**
   * Sends `prefix` (latin1), the bytes from `start` to `end`, and `suffix` (latin1), with one system call where possible. The bytes may be
   * those that a receiver was just given: bytes that the socket does not take at once are copied or borrowed.
   */
  writeBytes(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): void;
  /** The system has connected, and the TLS handshake is not over. */
  readonly handshaking: boolean;
  /** False from the moment that it fails, in either direction, or is destroyed: before `closed` is called. */
  readonly alive: boolean;
  /** Bytes written here but not all taken by the system yet; falls when a whole write has been taken. */
  readonly pendingBytes: number;
  /** As `pendingBytes`, but falling with every byte taken: it tells a slow peer from one that has stopped. */
  readonly untakenBytes: number;
  pause(): void;
  resume(): void;
  /** Sends FIN when all is written; reading goes on. After it only `destroy` or `reset` may follow. */
  endWriting(): void;
  /**
   * The peer knows by the end of the connection that it has the whole message (RFC 9112 6.3). From now on `destroy` is `reset` for as
   * long as `endWriting` has not been asked for, or not everything has been taken since: a message that is cut must not look whole.
   */
  endsMessage: boolean;
  /** Closes at once; unsent bytes are lost. */
  destroy(): void;
  /** Closes at once with RST where the system can, so that the peer cannot take its part of the message for complete. */
  reset(): void;
}

/** The server to connect to. */
export interface ConnectTarget {
  readonly host: string;
  /** Another address of the same server, of the other family: it is tried when the first does not accept; null for none. */
  readonly alternative: string | null;
  readonly port: number;
  /** Path of a Unix socket; then host and port mean nothing. */
  readonly path: string | null;
  readonly keepAlive: { readonly enabled: boolean; readonly idleMs: number };
  /** The TLS client for it; null for none. */
  readonly tls: TlsClient | null;
}
