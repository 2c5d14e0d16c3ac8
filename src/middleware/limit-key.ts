import { utf8Bytes } from '../base/latin1.ts';
import type { LimitKey } from '../config/schema/middleware/rate-limiting.ts';
import { oneSpelling } from '../http/credentials.ts';
import { isRewritten } from '../http/hop-by-hop.ts';
import { soleCookie, soleField, soleParameter } from '../http/sole-value.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';

/**
 * Gives the text that a limit counts a request by, one character a byte; empty or undefined: the request has none. Credentials that are spelled
 * in several ways are one text, for else each spelling would have a bucket of its own.
 */
export type KeyReader = (exchange: ExchangeContext) => string | undefined;

/** Null: by the client's address alone. */
export function keyReader(key: LimitKey): KeyReader | null {
  switch (key.kind) {
    case 'ip':
      return null;
    case 'consumer':
      return ({ consumer }) => utf8Bytes(consumer);
    case 'header':
      return headerReader(key.name);
    case 'query':
      return queryReader(utf8Bytes(key.name));
    case 'cookie':
      return ({ request }) => soleCookie(request, key.name);
  }
}

/** What a client claims in a field that the gateway writes, or a token is to fill, would be a new bucket for every claim. */
function headerReader(lowerCaseName: string): KeyReader {
  if (isRewritten(lowerCaseName)) return (exchange) => exchange.ownValue(lowerCaseName);
  return ({ request, generation }) => {
    if (generation?.claimFields?.hasName(lowerCaseName)) return undefined;
    const value = soleField(request, lowerCaseName);
    return value === undefined ? undefined : oneSpelling(lowerCaseName, value);
  };
}

function queryReader(name: string): KeyReader {
  return ({ query }) => soleParameter(query, name);
}
