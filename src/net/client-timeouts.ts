/**
 * The timeouts of a connection to a client. At most one counts at a time (`current-timeout.ts`).
 *
 *   timeout      counts while                                     for                 from
 *   HEAD         no request has come yet, or part of a head       connection timeout  the accept; later the first byte of the head
 *   BODY         part of a body has come, and we read             body timeout        its last byte; the moment from which we read on
 *   IDLE         nothing of the next request has come             keep-alive timeout  the moment when the client has all of its reply
 *   DRAIN_FIRST  no request has come yet, in a drain              1 s at most         the drain; the accept
 *   DRAIN_NEXT   nothing of the next request has come, in a drain 50 ms at most       the drain; as IDLE
 *   LINGER       we have sent FIN                                 2 s                 our FIN; again while the client takes bytes
 *   NONE         otherwise: a reply is due, or we do not read, or the connection is gone
 */
export const CLIENT_TIMEOUT = {
  NONE: 0,
  HEAD: 1,
  BODY: 2,
  IDLE: 3,
  DRAIN_FIRST: 4,
  DRAIN_NEXT: 5,
  LINGER: 6,
} as const;
export type ClientTimeout = (typeof CLIENT_TIMEOUT)[keyof typeof CLIENT_TIMEOUT];

/** How long a draining gateway waits for the first request of a connection. */
export const FIRST_REQUEST_MS = 1000;
/**
 * How long a draining gateway waits for the next request of an idle connection: requests are served that have come by now, or were sent
 * before the client could know of the drain. The timers are coarse: it is about a tenth of a second.
 */
const NEXT_REQUEST_MS = 50;
const LINGER_MS = 2000;

/** Milliseconds. */
export interface ClientTimeouts {
  /** From the first byte (or the accept) to a whole head. */
  readonly connectionTimeoutMs: number;
  /** Between requests. */
  readonly keepaliveTimeoutMs: number;
  /** Longest silence within a request's body. */
  readonly bodyTimeoutMs: number;
}

/** Its length in milliseconds. */
export function clientTimeoutMs(kind: ClientTimeout, timeouts: ClientTimeouts): number {
  switch (kind) {
    case CLIENT_TIMEOUT.NONE:
      return Number.POSITIVE_INFINITY;
    case CLIENT_TIMEOUT.HEAD:
      return timeouts.connectionTimeoutMs;
    case CLIENT_TIMEOUT.BODY:
      return timeouts.bodyTimeoutMs;
    case CLIENT_TIMEOUT.IDLE:
      return timeouts.keepaliveTimeoutMs;
    case CLIENT_TIMEOUT.DRAIN_FIRST:
      return Math.min(FIRST_REQUEST_MS, timeouts.connectionTimeoutMs);
    case CLIENT_TIMEOUT.DRAIN_NEXT:
      return Math.min(NEXT_REQUEST_MS, timeouts.keepaliveTimeoutMs);
    case CLIENT_TIMEOUT.LINGER:
      return LINGER_MS;
  }
}
