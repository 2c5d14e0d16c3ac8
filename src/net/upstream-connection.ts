import type { PhotonError } from '../base/errors.ts';
import type { PrivateConnections } from './private-connections.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from './streams.ts';

/**
 * A connection to an upstream, as its pool sees it. It carries one stream or more at a time, as its protocol and its peer allow.
 *
 * Each stream is reported to the owner once, when it is over, before its listener gets its last event. A connection that fails or closes
 * ends its streams first, and is then reported as closed.
 */
export interface UpstreamConnection {
  readonly owner: UpstreamConnectionOwner;
  /** How many streams it may carry at a time: 1 for HTTP/1.1. 0 from the moment that it fails or has to close: no other one may begin. */
  readonly capacity: number;
  /** How many it carries. */
  readonly streams: number;
  /** When it was opened, in milliseconds of the wheel's clock. */
  readonly openedMs: number;
  /**
   * The private connections of the client connection that it belongs to, because it has carried NTLM or Negotiate: the upstream takes later
   * requests for requests of the same user. Null: any client may use it next.
   */
  readonly privateTo: PrivateConnections | null;
  /** It is to be closed for requests that wait. */
  readonly evicting: boolean;
  /**
   * Begins a stream. `isLast`: the connection carries no other one, and an HTTP/1.1 request says so with `Connection: close` (RFC 9112 9.6).
   * Throws an Error when the connection carries as many as it may: that is a bug of the pool.
   */
  acquire(listener: ResponseListener, peer: DownstreamPeer, isLast: boolean): UpstreamStream;
  /** Closes the connection, which is private and carries no stream, for requests that wait; perhaps a moment later. */
  evict(): void;
  /** Closes the connection. Its streams fail. */
  close(): void;
}

/** The pool of a connection to an upstream. */
export interface UpstreamConnectionOwner {
  readonly limits: UpstreamLimits;
  /** A stream is over: the connection carries one less. */
  streamReleased(connection: UpstreamConnection): void;
  /** The upstream has sent unsolicited bytes on a connection that may be used again. */
  unsolicitedBytes(): void;
  /** The connection is gone, in whatever state. `error`: the failure; null if it was open and had no stream. */
  connectionClosed(connection: UpstreamConnection, error: PhotonError | null): void;
}

/** Limits of an upstream's connections; all times in milliseconds. */
export interface UpstreamLimits {
  readonly connectTimeoutMs: number;
  /** Longest silence while a reply is due. */
  readonly readTimeoutMs: number;
  /** Longest time without the upstream taking a byte. */
  readonly writeTimeoutMs: number;
  /** How long a connection may wait in the pool. */
  readonly idleTimeoutMs: number;
  /** Bytes of a reply's head. */
  readonly maxHeadBytes: number;
}
