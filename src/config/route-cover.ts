import type { Config, RouteConfig } from './config.ts';
import { type ConfigNode, childOf, itemsOf, startOf } from './config-node.ts';
import { type Finding, quote, warningAt } from './finding.ts';

/** For each route, the index of an earlier-ranked one that takes all of its requests; null when there is none. */
export type RouteCoverCheck = (routes: readonly RouteConfig[]) => readonly (number | null)[];

/** Routes that never get a request. */
export function findUnreachable(
  root: ConfigNode,
  { routes }: Config,
  findCovered: RouteCoverCheck | null,
): readonly Finding[] {
  const nodes = itemsOf(childOf(root, 'routes'));
  return (findCovered?.(routes) ?? []).flatMap((by, index) => {
    const [node, other, route] = [nodes[index], nodes[by ?? -1], routes[index]];
    if (by === null || node === undefined || other === undefined || route === undefined) return [];
    const message = `No request reaches the route ${quote(route.id)}: ${quote(routes[by]?.id ?? '')} takes them all`;
    const finding = warningAt('unreachable-route', startOf(childOf(node, 'path') ?? node), ['routes', index], message);
    return [{ ...finding, other: { span: startOf(other), message: 'it is here' } }];
  });
}
