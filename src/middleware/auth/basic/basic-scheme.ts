import { hash as digestOf } from 'node:crypto';
import type { BuiltInOptions } from '../../../config/schema/middleware/block.ts';
import { authorizationOf } from '../../../http/credentials.ts';
import type { ExchangeContext } from '../../../pipeline/exchange-context.ts';
import { OneMoreDrop } from '../one-more-drop.ts';
import { type Attempt, type AuthScheme, type Identity, Refusal } from '../scheme.ts';
import { type Credentials, isBasic, parseCredentials } from './credentials.ts';
import type { PasswordChecks } from './password-checks.ts';
import type { UserTable } from './user-table.ts';

export type BasicOptions = NonNullable<BuiltInOptions['authentication']['basic']>;

/**
 * User name and password (RFC 7617).
 *
 *   credentials --user known--> his hash ----\
 *              \--unknown--> a decoy's hash --+--verified before--> identity
 *                                              \--new--> hashed elsewhere --right, and user known--> identity
 */
export class BasicScheme implements AuthScheme {
  readonly challenge: string;
  readonly requestDrops: readonly string[] = [];
  readonly #strip: boolean;
  readonly #users: UserTable;
  readonly #passwords: PasswordChecks;
  readonly #refusal: Refusal;
  readonly #withAuthorization = new OneMoreDrop('authorization');

  constructor({ realm, strip }: Pick<BasicOptions, 'realm' | 'strip'>, users: UserTable, passwords: PasswordChecks) {
    // RFC 7617 2.1: else clients are free to choose how they write what is not ASCII.
    this.challenge = `Basic realm="${realm}", charset="UTF-8"`;
    this.#refusal = new Refusal(this.challenge);
    this.#strip = strip;
    this.#users = users;
    this.#passwords = passwords;
  }

  attempt({ request }: ExchangeContext): Attempt | Promise<Attempt> {
    const value = authorizationOf(request, isBasic);
    if (value === null) return null;
    const credentials = parseCredentials(value);
    return credentials === null ? this.#refusal : this.judge(credentials);
  }

  /** Who shows these credentials. */
  judge({ user, password }: Credentials): Attempt | Promise<Attempt> {
    const known = this.#users.find(user);
    const hash = known?.hash ?? this.#users.decoyFor(user);
    if (hash === null) return this.#refusal;
    // Of all three: with another hash of the user nothing is left of what was verified with the old one.
    const digest = digestOf('sha256', `${hash}\n${user}:${password}`, 'base64');
    if (known !== undefined && this.#passwords.isKnown(digest)) return known.identity;
    return this.#ask(digest, hash, password, known?.identity ?? this.#refusal);
  }

  async #ask(digest: string, hash: string, password: string, who: Identity | Refusal): Promise<Identity | Refusal> {
    return (await this.#passwords.check({ digest, hash, password })) ? who : this.#refusal;
  }

  hide(exchange: ExchangeContext): void {
    if (this.#strip && authorizationOf(exchange.request, isBasic) !== null) {
      exchange.requestDrops = this.#withAuthorization.beside(exchange.requestDrops);
    }
  }
}
