import { PhotonError } from '../base/errors.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Middleware, Verdict } from '../pipeline/middleware.ts';
import { compileTargetTemplate } from './template.ts';

/**
 * Answers with a redirect (RFC 9110 15.4). What already is where it should go passes, so that a route can send everybody to HTTPS, or to
 * one name, and serve those who come there.
 */
export function redirect({ scheme, host, path, status }: BuiltInOptions['redirect']): readonly Middleware[] {
  const pathOf = path === undefined ? targetOf : compileTargetTemplate(path);

  function sendElsewhere(exchange: ExchangeContext): Verdict {
    const from = exchange.cameSecurely ? 'https' : 'http';
    const to = scheme ?? from;
    const authority = host ?? authorityOf(exchange, to === from);
    const target = pathOf(exchange);
    const isThere =
      to === from && authority.toLowerCase() === authorityOf(exchange, true) && target === targetOf(exchange);
    return isThere ? undefined : { status, fields: [['Location', `${to}://${authority}${target}`]], body: '' };
  }

  return [{ name: 'redirect', stage: 'redirect', onRequest: sendElsewhere }];
}

function targetOf({ target }: ExchangeContext): string {
  return target.hasQuery ? `${target.path}?${target.query}` : target.path;
}

/** The host that was asked for, in lower case; its port belongs to the scheme. */
function authorityOf({ host, target, request }: ExchangeContext, withPort: boolean): string {
  if (host === '') throw new PhotonError('bad_host', 'Without Host nobody can say where to go.');
  return withPort ? (target.authority ?? request.host ?? host).toLowerCase() : host;
}
