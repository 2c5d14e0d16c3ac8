import { constants, createHmac, sign as cryptoSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { middlewareBlock } from '../../src/config/schema/middleware/block.ts';
import type { JwtOptions } from '../../src/middleware/auth/jwt/claim-rules.ts';

/** The shared secret of the tests. */
export const SECRET = 'kV7mQ2xW9zR4tB6nH1pL8cD3fG5jS0aY';

export const base64url = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url');

/** A token signed with HMAC; header and payload may be any text, so that they can be wrong in any way. */
export function rawToken(
  header: string,
  payload: string | Uint8Array,
  secret: string = SECRET,
  hash = 'sha256',
): string {
  const text = `${base64url(header)}.${base64url(payload)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}

const inOneHour = (): number => Math.floor(Date.now() / 1000) + 3600;

/** An HS256 token that holds for an hour, with these claims. */
export function token(claims: object = {}, secret: string = SECRET): string {
  return rawToken('{"alg":"HS256"}', JSON.stringify({ sub: 'alice', exp: inOneHour(), ...claims }), secret);
}

/** A token signed with a private key, as `algorithm` (RS, PS, ES, EdDSA) has it. */
export function signedToken(algorithm: string, key: KeyObject, header: object = {}, claims: object = {}): string {
  const payload = JSON.stringify({ sub: 'alice', exp: inOneHour(), ...claims });
  const text = `${base64url(JSON.stringify({ alg: algorithm, ...header }))}.${base64url(payload)}`;
  const hash = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`;
  const pss = algorithm.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(algorithm.slice(2)) / 8 }
    : {};
  return `${text}.${cryptoSign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363', ...pss }).toString('base64url')}`;
}

/** A pair of keys for an algorithm. */
export function keyPair(algorithm: string): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  if (!algorithm.startsWith('ES')) return generateKeyPairSync('rsa', { modulusLength: 2048 });
  const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm] ?? '';
  return generateKeyPairSync('ec', { namedCurve });
}

/** The JWK of a public key, with more members. */
export const jwkOf = (key: KeyObject, more: object = {}): object => ({ ...key.export({ format: 'jwk' }), ...more });

export const pemOf = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }).toString();

/** The options of `jwt` as the configuration has them after validation. */
export function jwtOptions(written: object): JwtOptions {
  const { authentication } = middlewareBlock.parse({ authentication: { auth_type: 'jwt', jwt: written } });
  if (authentication?.jwt === undefined) throw new Error('there are no options');
  return authentication.jwt;
}
