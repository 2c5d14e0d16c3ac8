import type { FieldGroup } from './field-group.ts';

/**
 * The one error record of the data path: what happened, whose fault it was, which status the client sees, and whether
 * a retry may help. It is thrown where it is found and becomes a reply in one place (`pipeline/error-response.ts`).
 */

/** Who caused a failure. Only an `upstream` fault counts against an upstream. */
export type Fault = 'downstream' | 'upstream' | 'gateway';

interface ErrorDefinition {
  readonly status: number;
  readonly title: string;
  readonly fault: Fault;
  /** True when the downstream connection must not be used again after the reply. */
  readonly close: boolean;
  /** A retry may help, where one is safe: the network failed, and no upstream has said anything. */
  readonly retryable: boolean;
}

const define = (status: number, title: string, fault: Fault, close = false): ErrorDefinition => ({
  status,
  title,
  fault,
  close,
  retryable: false,
});

const retryable = (definition: ErrorDefinition): ErrorDefinition => ({ ...definition, retryable: true });

/** Every failure of an exchange, by its stable code. */
const DEFINITIONS = {
  malformed_message: define(400, 'Malformed message', 'downstream', true),
  ambiguous_framing: define(400, 'Ambiguous framing', 'downstream', true),
  bad_host: define(400, 'Bad host', 'downstream', true),
  bad_target: define(400, 'Bad request target', 'downstream', true),
  unauthorized: define(401, 'Not authenticated', 'downstream'),
  forbidden: define(403, 'Forbidden', 'downstream'),
  not_found: define(404, 'No route', 'downstream'),
  method_not_allowed: define(405, 'Method not allowed', 'downstream'),
  method_refused: define(405, 'Method refused', 'downstream', true),
  request_timeout: define(408, 'Request timeout', 'downstream', true),
  body_too_large: define(413, 'Content too large', 'downstream', true),
  target_too_long: define(414, 'URI too long', 'downstream', true),
  unknown_expectation: define(417, 'Expectation failed', 'downstream', true),
  upgrade_required: define(426, 'Upgrade required', 'downstream'),
  rate_limited: define(429, 'Too many requests', 'downstream'),
  head_too_large: define(431, 'Request header fields too large', 'downstream', true),
  client_closed: define(499, 'Client closed request', 'downstream', true),
  internal_error: define(500, 'Internal error', 'gateway', true),
  middleware_failed: define(500, 'A middleware failed', 'gateway'),
  unknown_transfer_coding: define(501, 'Unknown transfer coding', 'downstream', true),
  upstream_connect_failed: retryable(define(502, 'Cannot reach the upstream', 'upstream')),
  upstream_tls_failed: retryable(define(502, 'No TLS with the upstream', 'upstream')),
  upstream_reset: retryable(define(502, 'The upstream closed the connection', 'upstream')),
  upstream_malformed: define(502, 'The upstream sent a malformed reply', 'upstream'),
  authentication_unavailable: define(503, 'Cannot authenticate now', 'gateway'),
  no_upstream: define(503, 'No upstream available', 'gateway'),
  upstreams_full: define(503, 'All upstreams are full', 'gateway'),
  gateway_full: define(503, 'The gateway is full', 'gateway', true),
  upstream_connect_timeout: retryable(define(504, 'The upstream did not accept in time', 'upstream')),
  upstream_timeout: retryable(define(504, 'The upstream did not answer in time', 'upstream')),
  upstream_write_timeout: define(504, 'The upstream did not take the request in time', 'upstream'),
  deadline_exceeded: define(504, 'The deadline of the route has passed', 'upstream'),
  middleware_timeout: define(504, 'A middleware did not answer in time', 'gateway'),
  version_not_supported: define(505, 'HTTP version not supported', 'downstream', true),
} as const satisfies Record<string, ErrorDefinition>;

/** The stable code of a failure, used in replies, logs and metrics. */
export type ErrorCode = keyof typeof DEFINITIONS;

export const ERROR_CODES = Object.keys(DEFINITIONS) as readonly ErrorCode[];

/**
 * A failure of one exchange. `message` is safe to show to a client: it never names an internal address. It has no stack: walking that
 * takes two microseconds, half of what it costs to refuse a request, and nobody reads it. Its code says where it comes from.
 */
export class PhotonError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly fault: Fault;
  readonly closesConnection: boolean;
  readonly retryable: boolean;
  /** Fields of the reply that say more, such as WWW-Authenticate; null for none. The group has no open name. */
  readonly fields: FieldGroup | null;

  constructor(code: ErrorCode, detail: string, fields: FieldGroup | null = null) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail);
    Error.stackTraceLimit = stackTraceLimit;
    this.fields = fields;
    const definition = DEFINITIONS[code];
    this.name = 'PhotonError';
    this.code = code;
    this.status = definition.status;
    this.title = definition.title;
    this.fault = definition.fault;
    this.closesConnection = definition.close;
    this.retryable = definition.retryable;
  }
}
