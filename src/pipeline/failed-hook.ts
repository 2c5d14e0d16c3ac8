import type { Exchange } from './exchange.ts';
import type { Middleware } from './middleware.ts';

/** A hook of a middleware, by the name that users' middleware has for it. */
export type HookName = 'onRequest' | 'onResponse' | 'onFinish';

/** Which hook failed, and for which request, as the log has it. */
export interface FailedHook {
  readonly middleware: string;
  readonly hook: HookName;
  /** As in `X-Request-ID`, and in the access log. */
  readonly requestId: string;
  /** As `photon routes` names it. */
  readonly route: string;
}

/** Taken while the exchange is that of the request: it is used again for others. */
export function failedHook(exchange: Exchange, { name }: Pick<Middleware, 'name'>, hook: HookName): FailedHook {
  return { middleware: name, hook, requestId: exchange.id, route: exchange.route?.id ?? '' };
}
