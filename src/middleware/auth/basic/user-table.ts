import { hash as digestOf } from 'node:crypto';
import { costOf, decoyOf } from '../../../base/password-hash.ts';
import { consumerText } from '../consumer-text.ts';
import type { Identity } from '../scheme.ts';

export interface KnownUser {
  readonly hash: string;
  readonly identity: Identity;
}

/**
 * Users and the hashes of their passwords. Who is not among them has a hash too: a decoy that costs as much as that of one who is. Which
 * one goes by his name, so that of those who are not known as many are slow as of those who are, each of them always, in every thread.
 */
export class UserTable {
  readonly #users: ReadonlyMap<string, KnownUser>;
  /** For each user the decoy that costs as much as his hash. */
  readonly #decoys: readonly string[];
  /** Nobody who does not know the hashes can tell whose decoy a name would have. */
  readonly #secret: string;

  constructor(users: Iterable<readonly [name: string, hash: string]>) {
    this.#users = new Map(
      Array.from(users, ([name, hash]) => [name, { hash, identity: { consumer: consumerText(name), fields: null } }]),
    );
    const hashes = Array.from(this.#users.values(), ({ hash }) => hash);
    const decoys = new Map<string, string>();
    this.#decoys = hashes.map((hash) => {
      const decoy = decoys.get(costOf(hash)) ?? decoyOf(hash);
      decoys.set(costOf(hash), decoy);
      return decoy;
    });
    this.#secret = digestOf('sha256', hashes.join('\n'));
  }

  find(name: string): KnownUser | undefined {
    return this.#users.get(name);
  }

  /** Null where there are no users at all: then nobody needs to be hidden among them. */
  decoyFor(name: string): string | null {
    const number = digestOf('sha256', `${this.#secret}${name}`, 'buffer').readUInt32BE(0);
    return this.#decoys[number % this.#decoys.length] ?? null;
  }
}
