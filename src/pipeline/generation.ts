import type { IpRanges } from '../base/ip-range.ts';
import type { RouteConfig } from '../config/config.ts';
import type { FieldDrops } from '../http/field-drops.ts';
import type { DownstreamLimits } from '../net/downstream-service.ts';
import type { Router } from '../routing/router.ts';
import type { AccessLine } from '../telemetry/access-line.ts';
import type { Backend } from '../upstream/backend.ts';
import type { MiddlewareChain } from './middleware.ts';

/** All that an exchange needs of its route, in one object: with many routes, each is cold in the cache when its request comes. */
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

/** Which exchanges are logged, and the form of their lines. */
export interface AccessPolicy {
  readonly line: AccessLine;
  /** The share of exchanges without failure that is logged. */
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
  /** Fields that some route fills with claims of tokens: before that they count as absent. Null: there are none. */
  readonly claimFields: FieldDrops | null;
  /** How long a request waits for a hook where its route has no timeout. */
  readonly middlewareTimeoutMs: number;
  readonly trustedProxies: IpRanges;
  /** Connections of trusted proxies begin with a PROXY header. */
  readonly proxyProtocol: boolean;
  /** The port that requests over plain HTTP are redirected to; null if they are served. */
  readonly httpsPort: number | null;
  /** Null: no access log. */
  readonly accessPolicy: AccessPolicy | null;
  /** The times of exchanges are recorded: only then is the clock read. */
  readonly recordsTimings: boolean;
}
