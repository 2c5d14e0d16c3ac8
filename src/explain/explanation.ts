import type { Algorithm } from '../config/config.ts';
import type { Stage } from '../pipeline/middleware.ts';
import type { Candidate } from './candidates.ts';
import type { DryRunReply } from './dry-run-client.ts';

/** What happens to a request, and why. Plain data without secrets: it is printed, sent, and compared as it is. */
export interface Explanation {
  readonly request: { readonly method: string; readonly target: string; readonly from: string };
  readonly listener: {
    readonly address: string;
    readonly scheme: 'http' | 'https';
    readonly note: string | null;
  } | null;
  /** Null where the request is refused before. */
  readonly client: ExplainedClient | null;
  /** What is looked up. Null where the request is refused before. */
  readonly target: ExplainedTarget | null;
  readonly result: ExplainedResult;
  readonly route: ExplainedRoute | null;
  /** The routes nearest to the request, in the order in which they are tried. */
  readonly candidates: readonly Candidate[];
  /** How many routes are not among them. */
  readonly otherRoutes: number;
  readonly backend: ExplainedBackend | null;
  /** What an upstream gets. Null where the gateway replies itself. */
  readonly sent: ExplainedSent | null;
}

export interface ExplainedClient {
  /** The IP address of the client, as far as the peers on the way are trusted. */
  readonly address: string;
  readonly peer: string;
  /** The peer is in `server.trusted_proxies`. */
  readonly peerTrusted: boolean;
}

export interface ExplainedTarget {
  /** Empty when there is none. */
  readonly host: string;
  readonly path: string;
  /** As received; null without `?`. */
  readonly query: string | null;
}

export type ExplainedResult =
  | { readonly kind: 'forwarded' }
  /** The gateway replies itself. `code` and `detail` of the error, null where the reply is none. */
  | (DryRunReply & { readonly kind: 'answered'; readonly code: string | null; readonly detail: string | null })
  | { readonly kind: 'no-listener'; readonly detail: string };

export interface ExplainedRoute {
  readonly id: string;
  /** From 1. */
  readonly rank: number;
  readonly path: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  /** In the order in which request hooks run. */
  readonly middleware: readonly ExplainedMiddleware[];
  readonly cache: ExplainedCache;
  /** Null: no deadline. */
  readonly timeoutMs: number | null;
  readonly retries: number;
}

export interface ExplainedMiddleware {
  readonly name: string;
  readonly stage: Stage;
  /** What the route wants different from the block, as written. */
  readonly overrides: Readonly<Record<string, unknown>>;
}

export interface ExplainedCache {
  /** False: this version stores nothing. */
  readonly active: boolean;
  readonly enabled: boolean;
  readonly ttlMs: number;
  readonly maxBodyBytes: number;
  readonly withQueryParams: boolean;
  /** Null where nothing is stored. */
  readonly key: string | null;
}

export interface ExplainedBackend {
  readonly name: string;
  readonly algorithm: Algorithm;
  /** What the algorithm hashes: `ip`, `path`, `header:NAME` or `cookie:NAME`; null where it hashes nothing. */
  readonly key: string | null;
  /** The cookie that keeps clients with their upstream; null where they do not stay. */
  readonly stickyCookie: string | null;
  /** Who takes every request like this one, while it is well; null where turns, chance or load decide. */
  readonly choice: ExplainedChoice | null;
  readonly upstreams: readonly ExplainedUpstream[];
}

export interface ExplainedChoice {
  readonly upstream: string;
  /** What decides. */
  readonly by: string;
}

export interface ExplainedUpstream {
  readonly address: string;
  readonly tls: boolean;
  readonly weight: number;
  /** Of the requests, from 0 to 1. */
  readonly share: number;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
}

export interface ExplainedSent {
  /** The address of the upstream whose turn it would be first. */
  readonly upstream: string;
  /** The version of the PROXY header before it, or null. */
  readonly proxyHeader: 'v1' | 'v2' | null;
  /** The lines of the head as sent, without the empty one. */
  readonly head: readonly string[];
}
