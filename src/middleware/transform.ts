import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import { dropName } from '../http/field-drops.ts';
import { withoutFields } from '../http/field-text.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Middleware } from '../pipeline/middleware.ts';
import { compileTemplate, type Template } from './template.ts';

type Options = BuiltInOptions['transform'];
type Changes = Options['request_headers'];

/**
 * Changes headers: `remove`, then `set`, then `add`. Of requests all that goes upstream, what the gateway itself says of the client
 * included; of replies all that comes from further in: from the upstream, and from the middleware whose response hooks run before
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
      responseWrites: response.written,
      ...(request.isEmpty ? {} : { onRequest: changeRequest }),
      ...(response.isEmpty ? {} : { onResponse: changeResponse }),
    },
  ];
}

class HeaderChanges {
  /** As `dropName` has them. */
  readonly dropped: readonly string[];
  readonly written: readonly string[];
  readonly isEmpty: boolean;
  readonly #droppedOfOurs: ReadonlySet<string>;
  readonly #isAmongOurs: RegExp;
  readonly #lines: Template;

  constructor({ remove, set, add }: Changes) {
    this.dropped = [...remove, ...Object.keys(set)].map(dropName);
    this.written = [...Object.keys(set), ...Object.keys(add)];
    this.#droppedOfOurs = new Set(this.dropped);
    this.#isAmongOurs = lineOf(this.dropped);
    const lines = [...Object.entries(set), ...Object.entries(add)].map(([name, value]) => `${name}: ${value}\r\n`);
    this.#lines = compileTemplate(lines.join(''));
    this.isEmpty = lines.length === 0 && this.dropped.length === 0;
  }

  /** `lines`: those that the gateway, or other middleware, writes beside what passes. Hardly ever is one of them to go. */
  applyTo(lines: string, exchange: Exchange): string {
    const kept = this.#isAmongOurs.test(lines) ? withoutFields(lines, this.#droppedOfOurs) : lines;
    return kept + this.#lines(exchange);
  }
}

/** Finds a line with one of these names. */
function lineOf(names: readonly string[]): RegExp {
  const spellings = names.map((name) => name.split('-').map(RegExp.escape).join('[-_]'));
  return new RegExp(`^(?:${spellings.join('|')}):`, 'im');
}
