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

/** The request that a hook was run for. */
export interface HookedRequest {
  readonly id: string;
  readonly route: { readonly id: string } | null;
}

/** Called before the exchange is over, since it is used again for other requests. */
export function failedHook(
  { id, route }: HookedRequest,
  { name }: { readonly name: string },
  hook: HookName,
): FailedHook {
  return { middleware: name, hook, requestId: id, route: route?.id ?? '' };
}
