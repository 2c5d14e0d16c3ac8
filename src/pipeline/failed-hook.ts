import type { Exchange } from './exchange.ts';
import type { Middleware } from './middleware.ts';

/** A hook of a middleware, by its name in users' middleware. */
export type HookName = 'onRequest' | 'onResponse' | 'onFinish';

/** The hook that failed and its request, as the log shows them. */
export interface FailedHook {
  readonly middleware: string;
  readonly hook: HookName;
  /** As in `X-Request-ID`, and in the access log. */
  readonly requestId: string;
  /** As `photon routes` names it. */
  readonly route: string;
}

/** Called before the exchange is over, since it is used again for other requests. */
export function failedHook(exchange: Exchange, { name }: Pick<Middleware, 'name'>, hook: HookName): FailedHook {
  return { middleware: name, hook, requestId: exchange.id, route: exchange.route?.id ?? '' };
}
