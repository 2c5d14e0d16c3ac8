import { PhotonError } from '../base/errors.ts';
import { FieldGroup } from '../base/field-group.ts';
import type { RouteConfig, RouteMiddleware } from '../config/config.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Middleware, Verdict } from '../pipeline/middleware.ts';
import { ClientNetworks } from './client-network.ts';
import { LimitFields } from './limit-fields.ts';
import type { MiddlewareContext } from './middleware-context.ts';
import { type LimitSettings, RequestLimit } from './request-limit.ts';

type Options = BuiltInOptions['rate_limiting'];

/**
 * Lets so many requests pass and refuses the others with 429. Limits by what every request says of itself come before authentication,
 * those by consumer after it.
 *
 * A request has to be within all limits of a stage. They are all looked at before a token is taken of any: what one refuses costs
 * nothing with the others.
 */
export function rateLimit(
  options: Options,
  context: MiddlewareContext,
  route: RouteConfig,
  entry: RouteMiddleware,
): readonly Middleware[] {
  const networks = new ClientNetworks(options.ipv6_prefix);
  const scope = scopeOf(entry, route);
  const settings = settingsOf(options);

  function ofStage(stage: 'rate_limit' | 'consumer_limit'): readonly Middleware[] {
    const chosen = settings.filter(({ key }) => (key.kind === 'consumer') === (stage === 'consumer_limit'));
    if (chosen.length === 0) return [];
    const limits = chosen.map((each) => new RequestLimit(each, { scope, networks, buckets: context.buckets }));
    const onRequest = admission(limits, context, route);
    return [{ name: 'rate_limiting', stage, onRequest, onResponse: addLimitFields }];
  }

  return [...ofStage('rate_limit'), ...ofStage('consumer_limit')];
}

/**
 * Whose limit it is: one of the block, which all share that name the block unchanged; one of all routes that the list of the server has
 * changed; or one of a route alone.
 */
function scopeOf(entry: RouteMiddleware, route: RouteConfig): string {
  if (Object.keys(entry.overrides).length === 0) return 'block';
  return route.middleware.includes(entry) ? `route ${route.id}` : 'server';
}

function settingsOf({ requests_per_second, burst, key, dry_run, limits = [], ipv6_prefix }: Options): LimitSettings[] {
  const listed = limits.map((limit, index) => ({
    name: limit.name ?? String(index + 1),
    perSecond: limit.requests_per_second,
    burst: limit.burst ?? defaultBurst(limit.requests_per_second),
    key: limit.key,
    dryRun: dry_run || limit.dry_run,
    prefixBits: ipv6_prefix,
  }));
  if (requests_per_second === undefined) return listed;
  const perSecond = requests_per_second;
  const first = { name: key.kind, perSecond, burst: burst ?? defaultBurst(perSecond), key, dryRun: dry_run };
  return [{ ...first, prefixBits: ipv6_prefix }, ...listed];
}

function defaultBurst(perSecond: number): number {
  return Math.max(1, Math.ceil(2 * perSecond));
}

function admission(limits: readonly RequestLimit[], context: MiddlewareContext, route: RouteConfig) {
  const fields = new LimitFields(limits);
  const counts = context.rateLimitCounts.ofRoute(route.id);
  let lastSeconds = 0;
  let lastRefusal = limited(0);

  function refusal(waitMs: number): PhotonError {
    counts.refused++;
    // RFC 9110 10.2.3: whole seconds. Rounded up, so that who waits exactly so long passes.
    const seconds = Math.ceil(waitMs / 1000);
    if (seconds !== lastSeconds) {
      lastSeconds = seconds;
      lastRefusal = limited(seconds);
    }
    return lastRefusal;
  }

  return function admit(exchange: ExchangeContext): Verdict {
    const nowMs = context.nowMs();
    for (const limit of limits) limit.find(exchange);
    if (limits.length === 1 || allHaveRoom(limits, nowMs)) for (const limit of limits) limit.take(nowMs);
    fields.addTo(exchange.rateLimitFields);
    const waitMs = longestWait(limits);
    if (waitMs > 0) return refusal(waitMs);
    if (isOverInDryRun(limits)) counts.passedInDryRun++;
    return undefined;
  };
}

function limited(seconds: number): PhotonError {
  const fields = new FieldGroup([['Retry-After', String(seconds)]]);
  return new PhotonError('rate_limited', `Come again in ${seconds} s.`, fields);
}

/** Those that are only tried out do not keep the others from being taken from. */
function allHaveRoom(limits: readonly RequestLimit[], nowMs: number): boolean {
  let all = true;
  for (const limit of limits) all = limit.look(nowMs) && all;
  return all;
}

function longestWait(limits: readonly RequestLimit[]): number {
  let longest = 0;
  for (const { refuses, outcome } of limits) if (refuses) longest = Math.max(longest, -outcome);
  return longest;
}

function isOverInDryRun(limits: readonly RequestLimit[]): boolean {
  for (const { dryRun, outcome } of limits) if (dryRun && outcome < 0) return true;
  return false;
}

/** Adds the fields of all limits once: the first response hook does so. */
function addLimitFields({ reply, rateLimitFields }: ExchangeContext): void {
  reply.additions.addAll(rateLimitFields);
  rateLimitFields.clear();
}
