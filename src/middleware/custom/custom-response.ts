import { dropName, FieldDrops } from '../../http/field-drops.ts';
import type { Exchange } from '../../pipeline/exchange.ts';
import { EditableHeaders, type HeaderSource } from './editable-headers.ts';

/** The head of a reply as a middleware of your own sees it, during the call. */
export class CustomResponse {
  readonly #exchange: Exchange;
  readonly headers: EditableHeaders;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.headers = new EditableHeaders(new ResponseHeaders(exchange));
  }

  get status(): number {
    return this.#exchange.reply.status;
  }

  /** The gateway made it, not an upstream. */
  get isOurs(): boolean {
    return this.#exchange.reply.source === null;
  }
}

class ResponseHeaders implements HeaderSource {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get received(): Exchange['reply']['source'] {
    return this.#exchange.reply.source;
  }

  get additions(): string {
    return this.#exchange.reply.additions;
  }

  set additions(lines: string) {
    this.#exchange.reply.additions = lines;
  }

  drop(name: string): void {
    const { reply } = this.#exchange;
    reply.drops = new FieldDrops([...(reply.drops?.names ?? []), name]);
  }

  isDropped(name: string): boolean {
    return this.#exchange.reply.drops?.names.has(dropName(name)) ?? false;
  }
}
