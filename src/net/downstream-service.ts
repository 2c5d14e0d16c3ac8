import type { HeadLimits } from '../wire/h1/head-limits.ts';
import type { RequestListener } from './streams.ts';

/** A connection to a client, as far as whoever keeps the list of them is concerned. */
export interface DownstreamConnection {
  /** The request under way, or one that comes in a moment, is the last; without one the connection closes. */
  drain(): void;
  /** Closes the connection at once. */
  close(): void;
}

/** What connections to clients need of the gateway behind them. Looked at anew for every request. */
export interface DownstreamService {
  readonly limits: DownstreamLimits;
  /** True while no new request is wanted on a connection that has just been answered. */
  readonly draining: boolean;
  /** A listener for the next request, to be filled and then begun or refused. */
  takeListener(): RequestListener;
  /** Gives back a listener that was neither begun nor refused. */
  returnListener(listener: RequestListener): void;
  connectionClosed(connection: DownstreamConnection): void;
}

/** Limits of a client's connection; all times in milliseconds. */
export interface DownstreamLimits extends HeadLimits {
  /** From the first byte (or the accept) to a whole head. */
  readonly connectionTimeoutMs: number;
  /** Between requests. */
  readonly keepaliveTimeoutMs: number;
  /** Longest silence within a request's body. */
  readonly bodyTimeoutMs: number;
  /** Longest time without the client taking a byte. */
  readonly sendTimeoutMs: number;
}
