import type { PhotonError } from '../base/errors.ts';
import type { FieldPair } from '../base/field-group.ts';
import { dropName, FieldDrops } from '../http/field-drops.ts';
import type { ExchangeContext } from './exchange-context.ts';

/**
 * The stages of the middleware, in the order in which request hooks run, whatever the order in the configuration. A middleware that refuses
 * comes before those that it protects: no request is redirected, answered or counted for a consumer before it is authorized.
 *
 *   request   compress > ip_filter > cors > rate_limit > authentication > consumer_limit > body_limit > redirect > respond > rewrite >
 *             custom > transform > headers > (cache, upstream)
 *   reply     the response hooks of the middleware whose request hooks have run, in the reverse order; for replies of the gateway too
 *
 * `compress` does nothing with requests. It is the first stage, so that its response hook is the last, after all others have changed the
 * head.
 */
export const STAGES = [
  'compress',
  'ip_filter',
  'cors',
  'rate_limit',
  'authentication',
  'consumer_limit',
  'body_limit',
  'redirect',
  'respond',
  'rewrite',
  'custom',
  'transform',
  'headers',
] as const;

export type Stage = (typeof STAGES)[number];

/** A reply that a middleware gives in the place of the upstream's. */
export interface Answer {
  readonly status: number;
  /** Those of the framing, Date, Via and X-Request-ID are not among them. */
  readonly fields: readonly FieldPair[];
  /** Latin1 text, one character a byte; empty for none. */
  readonly body: string;
}

/** Undefined: go on. An error: the request is refused with it. */
export type Verdict = Answer | PhotonError | undefined;

/**
 * A step between the route and the upstream. One object serves all requests of its routes in a worker, so it keeps no state of a single
 * request. A hook refuses a request by returning a PhotonError or by throwing one. Returning costs a microsecond or two less, and is for
 * refusals that attackers cause most. Any other error is a 500 and is logged with the name. Hooks are synchronous unless they have to wait:
 * then the chain costs no promise.
 */
export interface Middleware {
  /** As in the configuration, for the log and `explain`. */
  readonly name: string;
  readonly stage: Stage;
  /**
   * Names (lower case) of fields that clients may send and that never go upstream: the middleware writes them itself, or only reads them.
   */
  readonly requestDrops?: readonly string[];
  /** Names (lower case) of fields of the upstream's reply that do not go to the client. */
  readonly responseDrops?: readonly string[];
  /** Names (lower case) of fields that it may write into replies, as the configuration names them; `any`: unknown. */
  readonly responseWrites?: readonly string[] | 'any';
  readonly onRequest?: (exchange: ExchangeContext) => Verdict | Promise<Verdict>;
  /** Called before the head of a reply goes out, also for replies of the gateway. It may add fields to `exchange.reply.additions`. */
  readonly onResponse?: (exchange: ExchangeContext) => Promise<void> | void;
  /** The exchange is over. */
  readonly onFinish?: (exchange: ExchangeContext, error: PhotonError | null) => void;
}

/** The middleware of one route in the order of its stages, and the facts that follow from all of it. Made once, used by every request. */
export class MiddlewareChain {
  readonly middleware: readonly Middleware[];
  /** Fields of requests that do not go upstream; null: only those that never go upstream. */
  readonly requestDrops: FieldDrops | null;
  /** Fields of replies that do not go to the client; null likewise. */
  readonly responseDrops: FieldDrops | null;

  /** A middleware other than `cors` may write fields of CORS. */
  readonly writesAccessControl: boolean;
  /** One of them has a finish hook. */
  readonly hasFinishHook: boolean;

  constructor(middleware: readonly Middleware[]) {
    this.middleware = middleware.toSorted((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
    this.hasFinishHook = middleware.some(({ onFinish }) => onFinish !== undefined);
    this.writesAccessControl = middleware.some(({ responseWrites = [] }) => writesAccessControl(responseWrites));
    this.requestDrops = dropsOf(middleware.flatMap(({ requestDrops = [] }) => requestDrops));
    this.responseDrops = dropsOf(middleware.flatMap(({ responseDrops = [] }) => responseDrops));
  }

  static readonly none: MiddlewareChain = new MiddlewareChain([]);
}

function dropsOf(names: readonly string[]): FieldDrops | null {
  return names.length === 0 ? null : new FieldDrops(names);
}

function writesAccessControl(names: readonly string[] | 'any'): boolean {
  return names === 'any' || names.some((name) => dropName(name).startsWith('access-control-'));
}
