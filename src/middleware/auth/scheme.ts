import type { FieldGroup } from '../../base/field-group.ts';
import type { ExchangeContext } from '../../pipeline/exchange-context.ts';

/** Who a request comes from. It may be kept and given again: nothing of a single request is in it. */
export interface Identity {
  /** Safe in a field value and in a log; empty where the credentials name nobody. */
  readonly consumer: string;
  /** Fields for the upstream, without an open name; null for none. */
  readonly fields: FieldGroup | null;
}

/** Credentials that are there and do not hold. */
export class Refusal {
  /** What the scheme answers in the place of its own challenge. */
  readonly challenge: string;

  constructor(challenge: string) {
    this.challenge = challenge;
  }
}

/** Null: the request carries no credentials of this kind. */
export type Attempt = Identity | Refusal | null;

/** One way to show who one is. One object serves all requests of its routes in a worker. */
export interface AuthScheme {
  /** A value of WWW-Authenticate (RFC 9110 11.6.1), for whoever shows nothing. */
  readonly challenge: string;
  /** Names (lower case) of fields that clients may send and that never go upstream. */
  readonly requestDrops: readonly string[];
  /**
   * Looks at the credentials of a request and changes nothing. When a promise is settled the exchange may be over, and another one: it is
   * not to be looked at any more. Throws PhotonError where it cannot tell.
   */
  attempt(exchange: ExchangeContext): Attempt | Promise<Attempt>;
  /**
   * The request goes on, whichever scheme let it in: takes out of what goes upstream whatever this one reads as credentials, wherever it stands,
   * as far as the options want that.
   */
  hide(exchange: ExchangeContext): void;
}
