import { createHmac, constants as cryptoConstants, type KeyObject, verify } from 'node:crypto';
import { decodeBase64url } from './base64url.ts';
import { sameSecretText } from './constant-time.ts';

/** What makes and checks a signature: RFC 7518 3.1, and EdDSA of RFC 8037 3.1. */
interface Definition {
  /** Of `KeyObject.asymmetricKeyType`; `secret` for a shared one. */
  readonly key: 'secret' | 'rsa' | 'ec' | 'ed25519';
  /** Null: the algorithm has its own. */
  readonly hash: string | null;
  readonly isPss?: boolean;
  readonly curve?: string;
  /** Bytes of a signature, where that is the same for all keys. */
  readonly signatureBytes?: number;
}

const shared = (hash: string): Definition => ({ key: 'secret', hash });
const rsa = (hash: string): Definition => ({ key: 'rsa', hash });
const pss = (hash: string): Definition => ({ key: 'rsa', hash, isPss: true });
const elliptic = (hash: string, curve: string, signatureBytes: number): Definition => ({
  key: 'ec',
  hash,
  curve,
  signatureBytes,
});

/** `none` is not among them, and never will be. */
const ALGORITHMS = {
  HS256: shared('sha256'),
  HS384: shared('sha384'),
  HS512: shared('sha512'),
  RS256: rsa('sha256'),
  RS384: rsa('sha384'),
  RS512: rsa('sha512'),
  PS256: pss('sha256'),
  PS384: pss('sha384'),
  PS512: pss('sha512'),
  ES256: elliptic('sha256', 'prime256v1', 64),
  ES384: elliptic('sha384', 'secp384r1', 96),
  ES512: elliptic('sha512', 'secp521r1', 132),
  // RFC 8037 lets EdDSA stand for Ed448 too, which hardly anybody signs with: one name, one algorithm (RFC 9864 2.2).
  EdDSA: { key: 'ed25519', hash: null, signatureBytes: 64 },
} as const satisfies Record<string, Definition>;

export type SignatureAlgorithm = keyof typeof ALGORITHMS;

// Sound: the table's own keys.
export const SIGNATURE_ALGORITHMS = Object.keys(ALGORITHMS) as SignatureAlgorithm[];

/** RFC 7518 3.3: at least 2048. Checking takes time with the square of the length: nobody needs more than 8192. */
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

/**
 * Whether a key is one of the kind that an algorithm works with. An algorithm is never used with another key, whatever a token
 * says: a public key taken for a shared secret would let everybody sign (RFC 8725 2.1).
 */
export function keyFits(key: KeyObject, algorithm: SignatureAlgorithm): boolean {
  const wanted: Definition = ALGORITHMS[algorithm];
  if (key.type === 'secret') return wanted.key === 'secret';
  if (key.type !== 'public' || key.asymmetricKeyType !== wanted.key) return false;
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (wanted.key === 'rsa') return modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS;
  return namedCurve === wanted.curve;
}

/** Whether `signature`, as RFC 7515 2 writes it, is one of `text` (ASCII) by the owner of `key`, which fits. */
export function isSignedBy(key: KeyObject, algorithm: SignatureAlgorithm, text: string, signature: string): boolean {
  const definition: Definition = ALGORITHMS[algorithm];
  if (definition.key !== 'secret') return isVerified(key, definition, text, signature);
  // As text: of what is forged nothing is ever decoded, and there is one way to write what is right.
  const right = createHmac(definition.hash ?? '', key);
  return sameSecretText(right.update(text).digest('base64url'), signature);
}

function isVerified(key: KeyObject, definition: Definition, text: string, written: string): boolean {
  const { key: kind, hash, isPss, signatureBytes } = definition;
  const signature = decodeBase64url(written);
  if (signature === null || (signatureBytes !== undefined && signature.length !== signatureBytes)) return false;
  const data = Buffer.from(text);
  if (kind === 'ec') return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
  if (isPss !== true) return verify(hash, data, key, signature);
  // RFC 7518 3.5: the salt is as long as the hash.
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = cryptoConstants;
  return verify(hash, data, { key, padding, saltLength }, signature);
}
