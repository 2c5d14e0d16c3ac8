import type { BuiltInMiddleware, Config, RouteMiddleware } from './config.ts';

type RateLimiting = Extract<BuiltInMiddleware, { readonly name: 'rate_limiting' }>;

/** Limits together get no more than this, save where one wants more for itself: thousands of routes may each have one of their own. */
const MAX_TOGETHER = 4_000_000;

/** How many keys the rate limits of a configuration want to count apart. What routes take from the block unchanged counts once. */
export function bucketsWanted({ server, routes }: Config): number {
  const all = [...server.middleware, ...routes.flatMap(({ middleware }) => middleware)].filter(isRateLimiting);
  const ofBlock = all.find(isUnchanged);
  const distinct = [...(ofBlock === undefined ? [] : [ofBlock]), ...all.filter((entry) => !isUnchanged(entry))];
  const wanted = distinct.map(({ options }) => options.max_keys * limitCount(options));
  const sum = wanted.reduce((total, each) => total + each, 0);
  return wanted.reduce((most, each) => Math.max(most, each), Math.min(sum, MAX_TOGETHER));
}

function isRateLimiting(entry: RouteMiddleware): entry is RateLimiting {
  return entry.module === null && entry.name === 'rate_limiting';
}

const isUnchanged = ({ overrides }: RateLimiting): boolean => Object.keys(overrides).length === 0;

function limitCount({ requests_per_second, limits = [] }: RateLimiting['options']): number {
  return (requests_per_second === undefined ? 0 : 1) + limits.length;
}
