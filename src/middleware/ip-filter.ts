import { PhotonError } from '../base/errors.ts';
import { IpRanges } from '../base/ip-range.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Middleware } from '../pipeline/middleware.ts';

/** Lets clients pass or not by their address. What is no address (`unix:`) is in no range: with `allow` it may not pass. */
export function ipFilter({ allow, deny }: BuiltInOptions['ip_filter']): readonly Middleware[] {
  const allowed = allow === undefined ? null : new IpRanges(allow);
  const denied = new IpRanges(deny);

  function refuseOthers({ clientAddress }: ExchangeContext): undefined {
    if (!denied.includes(clientAddress) && (allowed === null || allowed.includes(clientAddress))) return;
    throw new PhotonError('forbidden', 'Your address may not use this.');
  }

  return [{ name: 'ip_filter', stage: 'ip_filter', onRequest: refuseOthers }];
}
