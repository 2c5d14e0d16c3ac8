import { isToken } from '../../http/characters.ts';
import { isConnectionField } from '../../http/hop-by-hop.ts';
import type { Exchange } from '../../pipeline/exchange.ts';
import type { Answer, Middleware, Verdict } from '../../pipeline/middleware.ts';
import type { MiddlewareDeps } from '../deps.ts';
import { CustomRequest } from './custom-request.ts';
import { CustomResponse } from './custom-response.ts';
import type { CustomOutcome, CustomReply, MiddlewareDefinition } from './define-middleware.ts';
import { optionsFor } from './options.ts';
import { boundTo, runAs } from './running-middleware.ts';

/**
 * Middleware of your own, as the chain wants it. Throws an Error when the options do not fit its schema, and what its `create` throws.
 */
export function customMiddleware(
  name: string,
  definition: MiddlewareDefinition,
  options: unknown,
  { log }: Pick<MiddlewareDeps, 'log'>,
): readonly Middleware[] {
  const hooks = runAs(name, () => definition.create(optionsFor(definition, options), { name, log }));
  const requests = new RequestsUnderWay();
  const askRequest = boundTo(name, (request: CustomRequest) => hooks.onRequest?.(request));
  const askResponse = boundTo(name, (response: CustomResponse, request: CustomRequest) =>
    hooks.onResponse?.(response, request),
  );
  const tellEnd = boundTo(name, (outcome: CustomOutcome, request: CustomRequest) => hooks.onFinish?.(outcome, request));

  function onRequest(exchange: Exchange): Verdict | Promise<Verdict> {
    const reply = askRequest(requests.of(exchange));
    return reply instanceof Promise ? reply.then(answerOf) : answerOf(reply);
  }

  function onResponse(exchange: Exchange): Promise<void> | undefined {
    const result = askResponse(new CustomResponse(exchange), requests.of(exchange));
    return result instanceof Promise ? result : undefined;
  }

  /** It is not waited for; that it fails is told all the same. */
  function onFinish(exchange: Exchange, error: { readonly code: string } | null): void {
    const result = tellEnd({ status: exchange.reply.status, error: error?.code ?? null }, requests.of(exchange));
    if (result === undefined) return;
    const { services } = exchange;
    Promise.resolve(result).catch((failure: unknown) => services.middlewareFailed(name, failure));
  }

  return [
    {
      name,
      stage: 'custom',
      ...(hooks.onRequest === undefined ? {} : { onRequest }),
      ...(hooks.onResponse === undefined ? {} : { onResponse }),
      ...(hooks.onFinish === undefined ? {} : { onFinish }),
    },
  ];
}

/** One object for all hooks of a request. Exchanges are used again: their turn tells one request from the next. */
class RequestsUnderWay {
  readonly #requests = new WeakMap<Exchange, { readonly turn: number; readonly request: CustomRequest }>();

  of(exchange: Exchange): CustomRequest {
    const known = this.#requests.get(exchange);
    if (known?.turn === exchange.turn) return known.request;
    const request = new CustomRequest(exchange);
    this.#requests.set(exchange, { turn: exchange.turn, request });
    return request;
  }
}

/** Throws a TypeError for what cannot be sent. */
function answerOf(reply: CustomReply | undefined): Verdict {
  if (reply === undefined) return undefined;
  const { status = 200, headers = {}, body = '' } = reply;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`Cannot reply with status ${status}: want 200 to 599`);
  }
  const lines = Object.entries(headers).map(([name, value]) => lineOf(name, value));
  return { status, lines: lines.join(''), body: Buffer.from(body, 'utf8').toString('latin1') } satisfies Answer;
}

function lineOf(name: string, value: string): string {
  if (!isToken(name) || isConnectionField(name.toLowerCase()))
    throw new TypeError(`Cannot reply with the header ${name}`);
  if (!/^[\t\x20-\x7e]*$/.test(value))
    throw new TypeError(`Cannot reply with this value of ${name}: want printable ASCII`);
  return `${name}: ${value}\r\n`;
}
