import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto';
import { keyFits, SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '../../../base/signature-algorithm.ts';

/** Between two times that the keys of an issuer are fetched, however many tokens name keys that are not known. */
export const KEY_SET_COOLDOWN_MS = 10_000;

/** Issuers have a handful. */
const MAX_KEYS = 100;

/** So many keys are tried for a token that names none. */
const MAX_TRIES = 8;

interface PublicKey {
  readonly id: string | null;
  readonly key: KeyObject;
  /** What it may be used for. */
  readonly algorithms: readonly SignatureAlgorithm[];
}

/** The public keys of an issuer (RFC 7517 5). */
export class KeySet {
  readonly #keys: readonly PublicKey[];

  private constructor(keys: readonly PublicKey[]) {
    this.#keys = keys;
  }

  /** Null for what is no set of keys. Keys in it that are of no use to us are left out (RFC 7517 5). */
  static parse(text: string): KeySet | null {
    const listed = keysIn(text);
    return listed === null ? null : new KeySet(listed.slice(0, MAX_KEYS).flatMap(publicKeys));
  }

  get size(): number {
    return this.#keys.length;
  }

  /** The keys that a token may have been signed with. */
  keysFor(algorithm: SignatureAlgorithm, id: string | null): readonly KeyObject[] {
    return this.#keys
      .filter((each) => (id === null || each.id === id) && each.algorithms.includes(algorithm))
      .slice(0, MAX_TRIES)
      .map(({ key }) => key);
  }
}

function keysIn(text: string): readonly unknown[] | null {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) ? keys : null;
  } catch {
    return null;
  }
}

/** One, or none where it is not for signatures, not public, or not to be read. */
function publicKeys(listed: unknown): readonly PublicKey[] {
  if (typeof listed !== 'object' || listed === null) return [];
  // Sound: a member that is not there is undefined, and each is looked at before it is used.
  const jwk = listed as { readonly [name: string]: unknown };
  if (!isForSignatures(jwk)) return [];
  try {
    // Sound: what is not one throws.
    const key = createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' });
    const algorithms = SIGNATURE_ALGORITHMS.filter((each) => isForAlgorithm(jwk, each) && keyFits(key, each));
    return [{ id: typeof jwk['kid'] === 'string' ? jwk['kid'] : null, key, algorithms }];
  } catch {
    return [];
  }
}

/** RFC 7517 4.2, 4.3. A key whose private half is published, or a shared secret that is, proves nothing. */
function isForSignatures({ use, key_ops: operations, d, kty }: { readonly [name: string]: unknown }): boolean {
  if (d !== undefined || kty === 'oct') return false;
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

const isForAlgorithm = ({ alg }: { readonly [name: string]: unknown }, algorithm: SignatureAlgorithm): boolean =>
  alg === undefined || alg === algorithm;
