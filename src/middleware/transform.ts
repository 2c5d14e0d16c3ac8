import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import { withoutFields } from '../http/field-text.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Middleware } from '../pipeline/middleware.ts';
import { compileTemplate, type Template } from './template.ts';

type Options = BuiltInOptions['transform'];
type Changes = Options['request_headers'];

/**
 * Changes headers: `remove`, then `set`, then `add`. Of requests all that goes upstream, what the gateway itself says of the client
 * included; of replies all that comes from further in: from the upstream, and from the middleware that is passed on the way out
 * before this one.
 */
export function transform({ request_headers, response_headers }: Options): readonly Middleware[] {
  const request = new HeaderChanges(request_headers);
  const response = new HeaderChanges(response_headers);

  function changeRequest(exchange: Exchange): undefined {
    exchange.requestAdditions = request.applyTo(exchange.requestAdditions, exchange);
  }

  function changeResponse(exchange: Exchange): void {
    exchange.reply.additions = response.applyTo(exchange.reply.additions, exchange);
  }

  return [
    {
      name: 'transform',
      stage: 'transform',
      requestDrops: request.dropped,
      responseDrops: response.dropped,
      ...(request.isEmpty ? {} : { onRequest: changeRequest }),
      ...(response.isEmpty ? {} : { onResponse: changeResponse }),
    },
  ];
}

/** Names that the gateway, or middleware of it, may have written lines of. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  ...['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-request-id', 'via', 'date'],
  ...['x-client-cert-subject', 'content-type', 'retry-after', 'x-content-type-options', 'x-frame-options'],
  ...['referrer-policy', 'content-security-policy', 'permissions-policy', 'strict-transport-security'],
]);

class HeaderChanges {
  /** In lower case. */
  readonly dropped: readonly string[];
  readonly #droppedOfOurs: ReadonlySet<string>;
  readonly #lines: readonly Template[];

  constructor({ remove, set, add }: Changes) {
    this.dropped = [...remove, ...Object.keys(set)].map((name) => name.toLowerCase());
    this.#droppedOfOurs = new Set(this.dropped.filter((name) => OWN_NAMES.has(name)));
    this.#lines = [...Object.entries(set), ...Object.entries(add)].map(([name, value]) =>
      compileTemplate(`${name}: ${value}\r\n`),
    );
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#droppedOfOurs.size === 0;
  }

  /** `lines`: those that are written beside what passes. */
  applyTo(lines: string, exchange: Exchange): string {
    let changed = this.#droppedOfOurs.size === 0 ? lines : withoutFields(lines, this.#droppedOfOurs);
    for (const line of this.#lines) changed += line(exchange);
    return changed;
  }
}
