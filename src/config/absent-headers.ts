import { FieldDrops } from '../http/field-drops.ts';
import { isLookalike } from '../http/hop-by-hop.ts';
import { claimedHeaders } from './claimed-headers.ts';
import type { Config } from './config.ts';
import { type ConfigNode, childOf, itemsOf, startOf } from './config-node.ts';
import { type Finding, quote, warningAt } from './finding.ts';

/** Routes that ask for a header which no request has when routes are matched: they never get one. */
export function findAbsentHeaders(root: ConfigNode, { routes, server }: Config): readonly Finding[] {
  const claimed = new FieldDrops(
    claimedHeaders([...server.middleware, ...routes.flatMap(({ middleware }) => middleware)]),
  );
  const nodes = itemsOf(childOf(root, 'routes'));
  return routes.flatMap(({ id, match }, index) =>
    Object.keys(match.headers).flatMap((name) => {
      const reason = claimed.hasName(name) ? 'what tokens say (forward_claims) is not known before' : reasonOf(name);
      const node = nodes[index];
      if (reason === null || node === undefined) return [];
      const message = `No request reaches the route ${quote(id)}: when routes are matched there is no header ${quote(name)}, for ${reason}`;
      const place = childOf(childOf(node, 'match'), 'headers') ?? node;
      return [warningAt('unreachable-route', startOf(place), ['routes', index, 'match', 'headers'], message)];
    }),
  );
}

/** Fields that go nowhere. */
function reasonOf(name: string): string | null {
  if (name === 'forwarded') return 'clients may claim anything in it: it is dropped';
  return isLookalike(name) ? 'an upstream could take it for another: it is dropped' : null;
}
