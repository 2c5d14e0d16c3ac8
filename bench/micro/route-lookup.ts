/** Route look-up, host and method included: the cost must not grow with the number of routes. */
import { bench, do_not_optimize, run, summary } from 'mitata';
import type { RouteRule } from '../../src/routing/route-rule.ts';
import type { RoutedRequest } from '../../src/routing/routed-request.ts';
import { Router } from '../../src/routing/router.ts';
import { buildRouterTables } from '../../src/routing/router-tables.ts';

const HOSTS = ['api.example.com', 'shop.example.com', '*.tenants.example.com', null];
/** A power of two; many for the routes to be cold, few enough for the requests not to be. */
const REQUEST_COUNT = 2048;

function makeRule(number: number): RouteRule {
  const host = HOSTS[number % HOSTS.length] ?? null;
  const path = number % 10 === 9 ? `/static/bundle${number}/**` : `/api/v1/res${number}/{id}/sub`;
  const methods = number % 3 === 0 ? null : ['GET', 'POST'];
  return { path, methods, host, priority: null, match: { headers: {}, query: {} } };
}

/** A request that route `number` takes. */
function makeRequest(number: number): RoutedRequest {
  const host = (HOSTS[number % HOSTS.length] ?? 'other.example.com').replace('*', 'acme');
  const text = number % 10 === 9 ? `/static/bundle${number}/js/app.js` : `/api/v1/res${number}/48151623/sub`;
  // In one piece, as a string from a socket is, not the pieces that a template leaves.
  const path = Buffer.from(text, 'latin1').toString('latin1');
  return {
    host,
    path,
    query: '',
    method: number % 2 === 0 ? 'GET' : 'POST',
    headerValue: () => undefined,
    ownValue: () => undefined,
  };
}

/** A generator that gives the same requests in every run (numerical recipes' LCG). */
function randomNumbers(below: number): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

summary(() => {
  for (const routeCount of [10, 1000, 10_000]) {
    const router = new Router(buildRouterTables(Array.from({ length: routeCount }, (_, number) => makeRule(number))));
    const same = makeRequest(routeCount >> 1);
    const random = randomNumbers(routeCount);
    const requests = Array.from({ length: REQUEST_COUNT }, () => makeRequest(random()));
    let next = 0;
    bench(`the same path, ${routeCount} routes`, () => do_not_optimize(router.find(same)));
    bench(`random paths, ${routeCount} routes`, () => {
      next = (next + 1) & (REQUEST_COUNT - 1);
      do_not_optimize(router.find(requests[next] as RoutedRequest));
    });
  }
});

await run();
