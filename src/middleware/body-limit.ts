import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Middleware } from '../pipeline/middleware.ts';

/** Lowers the limit of request bodies; the body itself is counted as it comes, so that a chunked one is bounded too. */
export function bodyLimit({ max_size: maxBytes }: BuiltInOptions['body_limit']): readonly Middleware[] {
  function lowerLimit(exchange: ExchangeContext): undefined {
    const { body } = exchange;
    if (body.maxBytes === null || body.maxBytes > maxBytes) body.maxBytes = maxBytes;
  }

  return [{ name: 'body_limit', stage: 'body_limit', onRequest: lowerLimit }];
}
