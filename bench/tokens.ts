/** Signed tokens (RFC 7519) as a client has them, and forged ones. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { TokenPattern } from './workload.ts';

export const SECRET = 'kV7mQ2xW9zR4tB6nH1pL8cD3fG5jS0aY';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const RSA_PUBLIC_KEY: string = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString();

const SIGNERS = {
  HS256: (text: string) => createHmac('sha256', SECRET).update(text).digest('base64url'),
  RS256: (text: string) => sign('sha256', Buffer.from(text), rsa.privateKey).toString('base64url'),
};

type Algorithm = keyof typeof SIGNERS;

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

const textOf = (algorithm: Algorithm, claims: string): string =>
  `${base64url(JSON.stringify({ alg: algorithm, typ: 'JWT', kid: '2026-01' }))}.${base64url(claims)}`;

/** Claims as identity providers give them. */
const claimsOf = (id: string): string =>
  `{"jti":"${id}","iss":"https://issuer.example","sub":"user-4711","aud":"api","exp":9000000000,"scope":"read write"}`;

/** A token that holds. */
export function signedToken(algorithm: Algorithm): string {
  const text = textOf(algorithm, claimsOf('000000000'));
  return `${text}.${SIGNERS[algorithm](text)}`;
}

/**
 * Tokens that are right in all but their signature, which is one by the right key of something else: what tells them from one that
 * holds is the whole work of verifying. The number stands at a multiple of three bytes.
 */
export function forgedTokens(algorithm: Algorithm): TokenPattern {
  const [number, place] = ['000000000', base64url('000000000')];
  const text = textOf(algorithm, claimsOf(`x${number}`));
  const at = text.indexOf(place, text.indexOf('.'));
  const signature = SIGNERS[algorithm]('something else');
  return { before: text.slice(0, at), after: `${text.slice(at + place.length)}.${signature}` };
}
