import type { FieldDrops } from './field-drops.ts';
import type { Framing } from './framing.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** A request as it is to leave for an upstream, in terms of HTTP: what makes bytes of it knows nothing of routes. */
export interface OutgoingRequest {
  readonly method: string;
  /** Path and query. */
  readonly outgoingTarget: string;
  /** Goes into Host. */
  readonly outgoingAuthority: string;
  /** The request that came in; its fields pass, save those that the encoder drops (`REQUEST_DROPS`). */
  readonly request: RequestHead;
  /** Further fields that do not pass; null for none. */
  readonly requestDrops: FieldDrops | null;
  /** More field lines, each `Name: value CRLF`. */
  readonly requestAdditions: string;
  /** Middleware may have written some of them. */
  readonly editedByMiddleware: boolean;
}

/** A reply as it is to leave for the client. */
export interface OutgoingResponse {
  readonly status: number;
  /** The upstream's reply whose fields pass, save those that the encoder drops; null when the gateway itself replies. */
  readonly source: ResponseHead | null;
  /** Further fields that do not pass; null for none. */
  readonly drops: FieldDrops | null;
  /** More field lines, each `Name: value CRLF`. */
  readonly additions: string;
  /** How the body ends as far as is known; an encoder may have to choose another way. */
  readonly framing: Framing;
  /** Content-Length to write, -1 for none. */
  readonly contentLength: number;
}
