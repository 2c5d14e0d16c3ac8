import type { FieldDrops } from './field-drops.ts';
import type { FieldList } from './field-list.ts';
import type { Framing } from './framing.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** A request as it is to leave for an upstream, in terms of HTTP: the encoder knows nothing of routes. */
export interface OutgoingRequest {
  readonly method: string;
  /** Path and query. */
  readonly outgoingTarget: string;
  /** Goes into Host. */
  readonly outgoingAuthority: string;
  /** The request that came in; its fields pass, except those that the encoder drops (`REQUEST_DROPS`). */
  readonly request: RequestHead;
  /** Further fields that do not pass; null for none. */
  readonly requestDrops: FieldDrops | null;
  /** More fields. */
  readonly requestAdditions: FieldList;
  /** Middleware may have written some of them. */
  readonly editedByMiddleware: boolean;
}

/** A reply as it is to leave for the client. */
export interface OutgoingResponse {
  readonly status: number;
  /** The upstream's reply whose fields pass, except those that the encoder drops; null when the gateway itself replies. */
  readonly source: ResponseHead | null;
  /** Further fields that do not pass; null for none. */
  readonly drops: FieldDrops | null;
  /** More fields. */
  readonly additions: FieldList;
  /** How the body ends as far as is known; an encoder may have to choose another way. */
  readonly framing: Framing;
  /** Content-Length to write, -1 for none. */
  readonly contentLength: number;
}
