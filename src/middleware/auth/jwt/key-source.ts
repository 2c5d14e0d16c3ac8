import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { keyFits, type SignatureAlgorithm } from '../../../base/signature-algorithm.ts';
import type { JwtOptions } from './claim-rules.ts';
import type { KeySet } from './key-set.ts';

/** The key sets of issuers, which somebody else fetches. */
export interface KeySets {
  /** The keys last fetched from a URL; null before there are any. The same object for as long as they are the same. */
  current(url: string): KeySet | null;
  /** The last fetch failed: the issuer may have other keys by now. */
  mayBeOld(url: string): boolean;
  /** Has them fetched anew; settles when that is over, well or not. Null where that was done just now. Never rejects. */
  renew(url: string): Promise<void> | null;
}

/** Where the keys come from that tokens are checked with. */
export interface KeySource {
  /** Another one when the keys are others; null while there are none. */
  readonly version: unknown;
  keysFor(algorithm: SignatureAlgorithm, keyId: string | null): readonly KeyObject[];
  /** As `KeySets.mayBeOld`. */
  readonly mayBeOld: boolean;
  /** As `KeySets.renew`. */
  renew(): Promise<void> | null;
}

/** Throws an Error for a key that cannot be read. */
export function keySourceOf({ secret, public_key: publicKey, jwks_url: url }: JwtOptions, sets: KeySets): KeySource {
  if (url !== undefined) return fetched(url, sets);
  return fixed(publicKey === undefined ? createSecretKey(secret ?? '', 'utf8') : createPublicKey(publicKey));
}

/** One key, whatever name a token has for it. */
function fixed(key: KeyObject): KeySource {
  const keysFor = (algorithm: SignatureAlgorithm) => (keyFits(key, algorithm) ? [key] : []);
  return { version: key, keysFor, mayBeOld: false, renew: () => null };
}

function fetched(url: string, sets: KeySets): KeySource {
  return {
    get version() {
      return sets.current(url);
    },
    get mayBeOld() {
      return sets.mayBeOld(url);
    },
    keysFor: (algorithm, keyId) => sets.current(url)?.keysFor(algorithm, keyId) ?? [],
    renew: () => sets.renew(url),
  };
}
