import type { HeadLimits } from '../wire/h1/head-limits.ts';
import type { ClientTimeouts } from './client-timeouts.ts';
import type { RequestListener } from './streams.ts';

/** A connection to a client, for the owner of the list of all connections. */
export interface DownstreamConnection {
  /** The request under way, or one that comes in a moment, is the last; without one the connection closes. */
  drain(): void;
  /** Closes the connection at once. */
  close(): void;
}

/** The services of the gateway for connections to clients. They are read for every request. */
export interface DownstreamService {
  readonly limits: DownstreamLimits;
  /** True while connections close after the reply under way. */
  readonly draining: boolean;
  /** A listener for the next request, to be filled and then begun or refused. */
  takeListener(): RequestListener;
  /** Returns a listener that was neither begun nor refused. */
  returnListener(listener: RequestListener): void;
  connectionClosed(connection: DownstreamConnection): void;
}

/** Limits of a client's connection; all times in milliseconds. */
export interface DownstreamLimits extends HeadLimits, ClientTimeouts {
  /** Longest time without the client taking a byte. */
  readonly sendTimeoutMs: number;
}
