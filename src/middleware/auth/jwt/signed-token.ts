import { decodeBase64url } from '../../../base/base64url.ts';
import { LastText } from '../../../base/last-text.ts';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '../../../base/signature-algorithm.ts';
import { memberOf, parseJsonObject } from './json-object.ts';

/** A token that is put together as it should be; whether it holds is another question. */
export interface SignedToken {
  readonly algorithm: SignatureAlgorithm;
  /** The name of the key; null where it names none. */
  readonly keyId: string | null;
  /** What is signed (ASCII). */
  readonly signedText: string;
  /** In base64url, as is what follows; not looked at yet. */
  readonly signature: string;
  /** JSON, when all is well. */
  readonly payload: string;
}

/** Heads of requests are not much larger; what is longer is not looked at. */
const MAX_TOKEN_CHARS = 8192;

const NAMES: ReadonlySet<unknown> = new Set(SIGNATURE_ALGORITHMS);

/**
 * Reads the compact form (RFC 7515 7.1), or gives null. Of the header only `alg`, `kid` and `crit` are looked at: keys, or where
 * keys are to be had (`jwk`, `jku`, `x5c`, `x5u`), are what whoever made the token wants us to believe.
 */
export function parseSignedToken(token: string): SignedToken | null {
  if (token.length > MAX_TOKEN_CHARS) return null;
  const headerEnd = token.indexOf('.');
  const signedEnd = token.indexOf('.', headerEnd + 1);
  if (headerEnd === -1 || signedEnd === -1) return null;
  const names = headerNames.of(token.slice(0, headerEnd));
  if (names === null) return null;
  const { algorithm, keyId } = names;
  const payload = token.slice(headerEnd + 1, signedEnd);
  return { algorithm, keyId, signedText: token.slice(0, signedEnd), signature: token.slice(signedEnd + 1), payload };
}

type HeaderNames = Pick<SignedToken, 'algorithm' | 'keyId'>;

/** What the header of a token names, by its text: the tokens of one key all have the same. */
const headerNames = new LastText<HeaderNames | null>((text) => {
  const bytes = decodeBase64url(text);
  return bytes === null ? null : readHeader(bytes);
});

function readHeader(bytes: Buffer): HeaderNames | null {
  const header = parseJsonObject(bytes);
  // RFC 7515 4.1.11: what is critical must be understood, and of the extensions we understand none.
  if (header === null || memberOf(header, 'crit') !== undefined) return null;
  const algorithm = memberOf(header, 'alg');
  const keyId = memberOf(header, 'kid') ?? null;
  if (!NAMES.has(algorithm) || (keyId !== null && typeof keyId !== 'string')) return null;
  // Sound: it is one of the names.
  return { algorithm: algorithm as SignatureAlgorithm, keyId };
}
