import type { RouteConfig } from '../config/config.ts';
import { readSharedText, type SharedTexts } from '../memory/shared-texts.ts';
import type { Backend } from '../upstream/backend.ts';
import type { RoutePlan } from './generation.ts';
import type { MiddlewareChain } from './middleware.ts';

/** The plans of all routes. Each is made when its first request comes: making thousands at once would hold up the others. */
export class RoutePlans {
  readonly #texts: SharedTexts;
  readonly #backends: ReadonlyMap<string, Backend>;
  readonly #chainOf: (route: RouteConfig) => MiddlewareChain;
  readonly #plans: (RoutePlan | undefined)[];

  /** `texts`: each route's `RouteConfig` as JSON. `backends`: by name. `chainOf` makes the middleware of a route. */
  constructor(
    texts: SharedTexts,
    backends: ReadonlyMap<string, Backend>,
    chainOf: (route: RouteConfig) => MiddlewareChain,
  ) {
    this.#texts = texts;
    this.#chainOf = chainOf;
    this.#backends = backends;
    this.#plans = new Array(texts.ends.length);
  }

  /** The plan of the route with this number, its place in the configuration. */
  at(number: number): RoutePlan {
    return this.#plans[number] ?? this.#make(number);
  }

  #make(number: number): RoutePlan {
    // Sound: `compileConfig` wrote it.
    const route = JSON.parse(readSharedText(this.#texts, number)) as RouteConfig;
    const backend = this.#backends.get(route.backend);
    if (backend === undefined) throw new Error(`route "${route.id}" names no backend of this configuration`);
    const { id, timeoutMs, retries, stripPrefix, upstreamHost } = route;
    const chain = this.#chainOf(route);
    const plan: RoutePlan = { number, id, backend, chain, timeoutMs, retries, stripPrefix, upstreamHost };
    this.#plans[number] = plan;
    return plan;
  }
}
