import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import { dropName } from '../http/field-drops.ts';
import type { FieldList } from '../http/field-list.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Middleware } from '../pipeline/middleware.ts';
import { FieldTemplates } from './field-templates.ts';

type Options = BuiltInOptions['transform'];
type Changes = Options['request_headers'];

/**
 * Changes headers: `remove`, then `set`, then `add`. Of requests it changes all fields that go upstream, those that the gateway writes
 * included; of replies it changes the fields of the upstream, and of the middleware whose response hooks run before this one.
 */
export function transform({ request_headers, response_headers }: Options): readonly Middleware[] {
  const request = new HeaderChanges(request_headers);
  const response = new HeaderChanges(response_headers);

  function changeRequest(exchange: ExchangeContext): undefined {
    request.applyTo(exchange.requestAdditions, exchange);
  }

  function changeResponse(exchange: ExchangeContext): void {
    response.applyTo(exchange.reply.additions, exchange);
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
  readonly #removed: ReadonlySet<string>;
  readonly #added: FieldTemplates;

  constructor({ remove, set, add }: Changes) {
    this.dropped = [...remove, ...Object.keys(set)].map(dropName);
    this.written = [...Object.keys(set), ...Object.keys(add)];
    this.#removed = new Set(this.dropped);
    this.#added = new FieldTemplates([...Object.entries(set), ...Object.entries(add)]);
    this.isEmpty = this.written.length === 0 && this.dropped.length === 0;
  }

  /** `fields`: those that the gateway and other middleware write, beside the received ones that pass. */
  applyTo(fields: FieldList, exchange: ExchangeContext): void {
    fields.remove(this.#removed);
    this.#added.addTo(fields, exchange);
  }
}
