import { parseAuthority } from '../../http/authority.ts';
import { FieldDrops } from '../../http/field-drops.ts';
import type { FieldList } from '../../http/field-list.ts';
import { OWN_REQUEST_FIELDS } from '../../http/own-fields.ts';
import type { ExchangeContext } from '../../pipeline/exchange-context.ts';
import { outgoingValue } from '../../pipeline/field-values.ts';
import { EditableHeaders, type HeaderSource } from './editable-headers.ts';

/** A request as a middleware of your own sees it. It must not be kept: when the exchange is over, it is another one. */
export class CustomRequest {
  readonly #exchange: ExchangeContext;
  readonly #useCount: number;
  /** Headers that go upstream. */
  readonly headers: EditableHeaders;
  /** For what the hooks of one request want to tell each other. */
  readonly state: Map<string, unknown> = new Map();

  constructor(exchange: ExchangeContext) {
    this.#exchange = exchange;
    this.#useCount = exchange.useCount;
    this.headers = new EditableHeaders(new RequestHeaders(() => this.#current()));
  }

  /** Throws an Error when the exchange is over. */
  #current(): ExchangeContext {
    if (this.#exchange.useCount !== this.#useCount) throw new Error('the request is over: it must not be kept');
    return this.#exchange;
  }

  get id(): string {
    return this.#current().id;
  }

  get method(): string {
    return this.#current().request.method;
  }

  /** Normalised, percent-encoded. */
  get path(): string {
    return this.#current().target.path;
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#current().target.query);
  }

  /** Normalised; empty when there is none. */
  get host(): string {
    return this.#current().host;
  }

  get scheme(): 'http' | 'https' {
    return this.#current().cameSecurely ? 'https' : 'http';
  }

  /** As far as the peers on the way are trusted. */
  get clientAddress(): string {
    return this.#current().clientAddress;
  }

  /** The name of the authenticated client; empty without one. */
  get consumer(): string {
    return this.#current().consumer;
  }

  /** Id of the route. */
  get route(): string {
    return this.#current().route?.id ?? '';
  }

  /** What `{NAME}` in the path of the route stands for, percent-encoded. */
  get pathParameters(): Readonly<Record<string, string>> {
    const { generation, route, target } = this.#current();
    return route === null ? {} : (generation?.router.pathParameters(route.number, target.path) ?? {});
  }
}

class RequestHeaders implements HeaderSource {
  readonly single = OWN_REQUEST_FIELDS;
  readonly #current: () => ExchangeContext;

  constructor(current: () => ExchangeContext) {
    this.#current = current;
  }

  value(name: string): string | undefined {
    return outgoingValue(this.#current(), name);
  }

  get additions(): FieldList {
    return this.#current().requestAdditions;
  }

  drop(name: string): void {
    const exchange = this.#current();
    exchange.requestDrops = new FieldDrops([...(exchange.requestDrops?.names ?? []), name]);
  }

  /** Host is no field of the list: it is written with the request line, for each upstream. */
  replace(name: string, value: string | null): boolean {
    if (name !== 'host') return false;
    if (value === null) throw new TypeError('Cannot delete Host: every request has one. It can be set');
    if (!isAuthority(value))
      throw new TypeError('Cannot use this value of Host: want a host name, with or without port');
    this.#current().hostSet = value;
    return true;
  }
}

function isAuthority(text: string): boolean {
  try {
    parseAuthority(text);
    return true;
  } catch {
    return false;
  }
}
