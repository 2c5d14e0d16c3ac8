import type { IpRanges } from '../base/ip-range.ts';
import type { RouteConfig } from '../config/config.ts';
import type { FieldDrops } from '../http/field-drops.ts';
import type { DownstreamLimits } from '../net/downstream-service.ts';
import type { Router } from '../routing/router.ts';
import type { AccessLine } from '../telemetry/access-line.ts';
import type { Backend } from '../upstream/backend.ts';
import type { MiddlewareChain } from './middleware-chain.ts';

/** What an exchange needs to know of the route it took: one object, because with many routes each is cold when its turn comes. */
export interface RoutePlan {
  /** Its place in the configuration. */
  readonly number: number;
  readonly id: string;
  readonly backend: Backend;
  readonly chain: MiddlewareChain;
  readonly timeoutMs: number | null;
  /** How many times a request may be retried. */
  readonly retries: number;
  readonly stripPrefix: string | null;
  readonly upstreamHost: RouteConfig['upstreamHost'];
}

/** What leaves a line in the access log, and how it looks. */
export interface AccessPolicy {
  readonly line: AccessLine;
  /** Share of the exchanges to log in which nothing went wrong. */
  readonly sample: number;
}

/**
 * One configuration, made ready to serve and never changed. An exchange pins the one that is current when it begins, and
 * finishes on it.
 */
export interface Generation {
  readonly router: Router;
  /** By the number that the router finds. */
  readonly routes: { at(number: number): RoutePlan };
  readonly limits: DownstreamLimits;
  /** Fields of one head, of a request or a reply. */
  readonly maxHeaders: number;
  /** Bytes of a request body; null for no limit. */
  readonly maxBodyBytes: number | null;
  readonly mergeSlashes: boolean;
  /** Fields that some route fills with what tokens say: none of them is believed before. Null: there are none. */
  readonly claimFields: FieldDrops | null;
  /** How long a request waits for a hook where its route has no timeout. */
  readonly middlewareTimeoutMs: number;
  readonly trustedProxies: IpRanges;
  /** Connections of trusted proxies begin with a PROXY header. */
  readonly proxyProtocol: boolean;
  /** Where requests over plain HTTP are sent; null when they are served. */
  readonly httpsPort: number | null;
  /** Null: no access log. */
  readonly accessPolicy: AccessPolicy | null;
  /** The times of exchanges are recorded: only then is the clock read. */
  readonly recordsTimings: boolean;
}
