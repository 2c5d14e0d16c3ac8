import type { ExchangeContext } from '../../pipeline/exchange-context.ts';
import { failedHook } from '../../pipeline/failed-hook.ts';
import type { Middleware, Verdict } from '../../pipeline/middleware.ts';
import type { MiddlewareContext } from '../middleware-context.ts';
import { CustomRequest } from './custom-request.ts';
import { CustomResponse } from './custom-response.ts';
import type { CustomOutcome, MiddlewareDefinition } from './define-middleware.ts';
import { answerOf, hooksOf, isThenable, requireNothing } from './hook-results.ts';
import { optionsFor } from './options.ts';
import { boundTo, runAs } from './running-middleware.ts';

/**
 * Middleware of your own, as the chain wants it. Throws an Error when the options do not fit its schema or `create` returns no hooks, and what
 * `create` throws.
 */
export function customMiddleware(
  name: string,
  definition: MiddlewareDefinition,
  options: unknown,
  { log }: Pick<MiddlewareContext, 'log'>,
): readonly Middleware[] {
  const hooks = hooksOf(runAs(name, () => definition.create(optionsFor(definition, options), { name, log })));
  const requests = new RequestsUnderWay();
  const callOnRequest = boundTo(name, (request: CustomRequest) => hooks.onRequest?.(request));
  const callOnResponse = boundTo(name, (response: CustomResponse, request: CustomRequest) =>
    hooks.onResponse?.(response, request),
  );
  const callOnFinish = boundTo(name, (outcome: CustomOutcome, request: CustomRequest) =>
    hooks.onFinish?.(outcome, request),
  );

  /** What is no promise has code of its own that waits. */
  function settled(returned: PromiseLike<unknown>): Promise<unknown> {
    return returned instanceof Promise ? Promise.resolve(returned) : runAs(name, () => Promise.resolve(returned));
  }

  function onRequest(exchange: ExchangeContext): Verdict | Promise<Verdict> {
    const returned: unknown = callOnRequest(requests.of(exchange));
    return isThenable(returned) ? settled(returned).then(answerOf) : answerOf(returned);
  }

  function onResponse(exchange: ExchangeContext): Promise<void> | undefined {
    const returned: unknown = callOnResponse(new CustomResponse(exchange), requests.of(exchange));
    if (isThenable(returned)) return settled(returned).then(requireNothing);
    requireNothing(returned);
    return undefined;
  }

  /** It is not waited for; that it fails is told all the same. */
  function onFinish(exchange: ExchangeContext, error: { readonly code: string } | null): void {
    const outcome = { status: exchange.reply.status, error: error?.code ?? null };
    const returned: unknown = callOnFinish(outcome, requests.of(exchange));
    if (!isThenable(returned)) return;
    const { services } = exchange;
    const hook = failedHook(exchange, { name }, 'onFinish');
    settled(returned).catch((failure: unknown) => services.middlewareFailed(hook, failure));
  }

  return [
    {
      name,
      stage: 'custom',
      responseWrites: 'any',
      ...(hooks.onRequest === undefined ? {} : { onRequest }),
      ...(hooks.onResponse === undefined ? {} : { onResponse }),
      ...(hooks.onFinish === undefined ? {} : { onFinish }),
    },
  ];
}

/** One object for all hooks of a request. Exchanges are used again: their use count tells one request from the next. */
class RequestsUnderWay {
  readonly #requests = new WeakMap<ExchangeContext, { readonly useCount: number; readonly request: CustomRequest }>();

  of(exchange: ExchangeContext): CustomRequest {
    const known = this.#requests.get(exchange);
    if (known?.useCount === exchange.useCount) return known.request;
    const request = new CustomRequest(exchange);
    this.#requests.set(exchange, { useCount: exchange.useCount, request });
    return request;
  }
}
