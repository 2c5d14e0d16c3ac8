import type { LimitKey } from '../config/schema/middleware/rate-limiting.ts';
import { soleCookie, soleField, soleParameter, utf8Bytes } from '../http/sole-value.ts';
import type { Exchange } from '../pipeline/exchange.ts';

/** Gives the text that a limit counts a request by, latin1; empty or undefined: the request has none. */
export type KeyReader = (exchange: Exchange) => string | undefined;

/** Null: by the client's address alone. */
export function keyReader(key: LimitKey): KeyReader | null {
  switch (key.kind) {
    case 'ip':
      return null;
    case 'consumer':
      return ({ consumer }) => utf8Bytes(consumer);
    case 'header':
      return ({ request }) => soleField(request, key.name);
    case 'query':
      return ({ query }) => soleParameter(query, key.name);
    case 'cookie':
      return ({ request }) => soleCookie(request, key.name);
  }
}
