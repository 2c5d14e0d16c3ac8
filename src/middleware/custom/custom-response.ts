import { FieldDrops } from '../../http/field-drops.ts';
import type { FieldList } from '../../http/field-list.ts';
import { RESPONSE_DROPS } from '../../http/hop-by-hop.ts';
import { OWN_RESPONSE_FIELDS } from '../../http/own-fields.ts';
import { passingValue } from '../../http/passing-value.ts';
import type { ExchangeContext } from '../../pipeline/exchange-context.ts';
import { EditableHeaders, type HeaderSource } from './editable-headers.ts';

/** The head of a reply as a middleware of your own sees it: until its hook has returned, or the promise of it has settled. */
export class CustomResponse {
  readonly #exchange: ExchangeContext;
  readonly #useCount: number;
  /** What `responseHooksLeft` of the exchange is while the hook of this middleware runs. */
  readonly #responseHooksLeft: number;
  readonly headers: EditableHeaders;

  constructor(exchange: ExchangeContext) {
    this.#exchange = exchange;
    this.#useCount = exchange.useCount;
    this.#responseHooksLeft = exchange.responseHooksLeft;
    this.headers = new EditableHeaders(new ResponseHeaders(() => this.#current()));
  }

  /** Throws an Error when the head has gone out, or another middleware has it, or another reply took its place. */
  #current(): ExchangeContext {
    const { useCount, responseHooksLeft, replyStarted } = this.#exchange;
    if (useCount === this.#useCount && responseHooksLeft === this.#responseHooksLeft && !replyStarted)
      return this.#exchange;
    throw new Error('the head of the reply is gone: it must not be kept');
  }

  get status(): number {
    return this.#current().reply.status;
  }

  /** The gateway made it, not an upstream. */
  get isOurs(): boolean {
    return this.#current().reply.source === null;
  }
}

class ResponseHeaders implements HeaderSource {
  readonly single = OWN_RESPONSE_FIELDS;
  readonly #current: () => ExchangeContext;

  constructor(current: () => ExchangeContext) {
    this.#current = current;
  }

  value(name: string): string | undefined {
    const { source, drops, additions, contentLength } = this.#current().reply;
    if (name === 'content-length') return contentLength < 0 ? undefined : String(contentLength);
    const passing = source === null ? undefined : passingValue(source, name, RESPONSE_DROPS, drops);
    const added = additions.combinedValue(name);
    return passing === undefined || added === undefined ? (passing ?? added) : `${passing}, ${added}`;
  }

  get additions(): FieldList {
    return this.#current().reply.additions;
  }

  drop(name: string): void {
    const { reply } = this.#current();
    reply.drops = new FieldDrops([...(reply.drops?.names ?? []), name]);
  }

  replace(): boolean {
    return false;
  }
}
