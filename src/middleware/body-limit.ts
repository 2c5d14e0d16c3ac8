import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Middleware } from '../pipeline/middleware.ts';

/** Lowers the limit of request bodies; the body itself is counted as it comes, so that a chunked one is bounded too. */
export function bodyLimit({ max_size: maxBytes }: BuiltInOptions['body_limit']): readonly Middleware[] {
  function lowerLimit(exchange: Exchange): undefined {
    const { maxBodyBytes } = exchange;
    if (maxBodyBytes === null || maxBodyBytes > maxBytes) exchange.maxBodyBytes = maxBytes;
  }

  return [{ name: 'body_limit', stage: 'body_limit', onRequest: lowerLimit }];
}
