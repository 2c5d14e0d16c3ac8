import type { PhotonError } from '../base/errors.ts';
import type { Exchange } from './exchange.ts';

/**
 * The stages of the middleware, in the order in which request hooks run, whatever the order in the configuration. What refuses
 * comes before what it protects: nobody is redirected, answered or counted as a consumer before it is known that he may be here.
 *
 *   request   compress > ip_filter > cors > rate_limit > authentication > consumer_limit > body_limit > redirect > respond > rewrite >
 *             custom > transform > headers > (cache, upstream)
 *   reply     the response hooks of the middleware whose request hooks have run, in the reverse order; for replies of the gateway too
 *
 * `compress` does nothing with requests: it is the first, so that it sees the head of every reply as the last, as all others left it.
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
  /** Field lines, each with its CRLF; those of the framing, Date and Via are not among them. */
  readonly lines: string;
  /** Latin1 text, one character a byte; empty for none. */
  readonly body: string;
}

/** Undefined: go on. An error: the request is refused with it. */
export type Verdict = Answer | PhotonError | undefined;

/**
 * What stands between the route and the upstream. One object serves all requests of its routes in a worker, so nothing of a single
 * request is kept in it. A hook that throws a PhotonError refuses the request with it, as one does that returns it, which takes a
 * microsecond or two less and is for what attackers make happen most; any other error is a 500 and is logged with the name. Hooks
 * are synchronous wherever nothing has to be waited for: then the chain costs no promise.
 */
export interface Middleware {
  /** As in the configuration, for the log and `explain`. */
  readonly name: string;
  readonly stage: Stage;
  /** Names (lower case) of fields that clients may send and that never go upstream: it writes them itself, or keeps them for itself. */
  readonly requestDrops?: readonly string[];
  /** Names (lower case) of fields of the upstream's reply that do not go to the client. */
  readonly responseDrops?: readonly string[];
  /** Names (lower case) of fields that it may write into replies, as the configuration has them; `any`: it is not known which. */
  readonly responseWrites?: readonly string[] | 'any';
  readonly onRequest?: (exchange: Exchange) => Verdict | Promise<Verdict>;
  /** The head of the reply is about to go out, whoever made it: lines may be added to `exchange.reply.additions`. */
  readonly onResponse?: (exchange: Exchange) => Promise<void> | void;
  /** The exchange is over. */
  readonly onFinish?: (exchange: Exchange, error: PhotonError | null) => void;
}
