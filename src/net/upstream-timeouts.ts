import type { UpstreamLimits } from './upstream-connection.ts';

/**
 * The timeouts of a connection to an upstream for which the upstream's silence counts. At most one counts at a time (`current-timeout.ts`);
 * the write timeout counts beside it (`h1-output.ts`).
 *
 *   timeout  counts while                                              for                from
 *   CONNECT  the connection is being opened                            connect timeout    the beginning: nothing makes it longer
 *   READ     it carries a stream, the system has all of the request    read timeout       the last of these; every byte of the reply
 *            (or takes no more), and we read
 *   IDLE     it carries no stream                                      idle timeout       the end of the last one
 *   EVICT    as IDLE, requests of others wait, and its client has      challenge timeout  the moment in which they wait
 *            still to answer a challenge
 *   NONE     otherwise: it is closing, or the upstream owes nothing, or could not show it. The client has its own timeouts then.
 */
export const UPSTREAM_TIMEOUT = { NONE: 0, CONNECT: 1, READ: 2, IDLE: 3, EVICT: 4 } as const;
export type UpstreamTimeout = (typeof UPSTREAM_TIMEOUT)[keyof typeof UPSTREAM_TIMEOUT];

/** How long a client has to answer a challenge of its upstream while requests of others wait for a connection. */
const CHALLENGE_TIMEOUT_MS = 500;

/** Its length in milliseconds. */
export function upstreamTimeoutMs(kind: UpstreamTimeout, limits: UpstreamLimits): number {
  switch (kind) {
    case UPSTREAM_TIMEOUT.NONE:
      return Number.POSITIVE_INFINITY;
    case UPSTREAM_TIMEOUT.CONNECT:
      return limits.connectTimeoutMs;
    case UPSTREAM_TIMEOUT.READ:
      return limits.readTimeoutMs;
    case UPSTREAM_TIMEOUT.IDLE:
      return limits.idleTimeoutMs;
    case UPSTREAM_TIMEOUT.EVICT:
      return CHALLENGE_TIMEOUT_MS;
  }
}
