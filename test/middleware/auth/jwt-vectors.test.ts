import assert from 'node:assert/strict';
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  isSignedBy,
  keyFits,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
} from '../../../src/base/signature-algorithm.ts';
import { JwtScheme } from '../../../src/middleware/auth/jwt/jwt-scheme.ts';
import { KeySet } from '../../../src/middleware/auth/jwt/key-set.ts';
import { parseSignedToken } from '../../../src/middleware/auth/jwt/signed-token.ts';
import { jwtOptions } from '../../support/tokens.ts';

const publicKey = (jwk: object): KeyObject => createPublicKey({ key: { ...jwk }, format: 'jwk' });

interface Vector {
  readonly source: string;
  readonly algorithm: SignatureAlgorithm;
  readonly key: KeyObject;
  readonly text: string;
  /** The payload is read as this. */
  readonly payload: RegExp;
}

const CLAIMS = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';

const VECTORS: readonly Vector[] = [
  {
    source: 'RFC 7515 A.1',
    algorithm: 'HS256',
    key: createSecretKey(
      Buffer.from(
        'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
        'base64url',
      ),
    ),
    text: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
    payload: /"iss":"joe"/,
  },
  {
    source: 'RFC 7515 A.3',
    algorithm: 'ES256',
    key: publicKey({
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    }),
    text: `eyJhbGciOiJFUzI1NiJ9.${CLAIMS}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
    payload: /"iss":"joe"/,
  },
  {
    source: 'RFC 7520 4.2',
    algorithm: 'PS384',
    key: publicKey({
      kty: 'RSA',
      e: 'AQAB',
      n: 'n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw',
    }),
    text: 'eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw',
    payload: /no knowing where you might be swept off to/,
  },
  {
    source: 'RFC 8037 A.4',
    algorithm: 'EdDSA',
    key: publicKey({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }),
    text: 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    payload: /^Example of Ed25519 signing$/,
  },
];

/** RFC 7515 2: there is one way to write a signature. */
const alikeTo = (signature: string) => [
  { other: `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`, why: 'another one' },
  { other: `${signature.slice(0, -1)}`, why: 'cut off' },
  { other: `${signature}=`, why: 'padded' },
  { other: ` ${signature}`, why: 'a blank' },
  { other: Buffer.from(signature, 'base64url').toString('latin1'), why: 'not encoded' },
  { other: wide(signature), why: 'a character of which the low byte is the right one' },
];

const wide = (text: string): string => `${String.fromCharCode(text.charCodeAt(0) + 0x100)}${text.slice(1)}`;

describe('the examples of the RFCs', () => {
  for (const { source, algorithm, key, text, payload } of VECTORS) {
    test(`${source} is signed as it says`, () => {
      const parsed = parseSignedToken(text);
      assert.ok(parsed !== null);
      assert.equal(parsed.algorithm, algorithm);
      assert.ok(keyFits(key, algorithm));
      assert.ok(isSignedBy(key, algorithm, parsed.signedText, parsed.signature));
      assert.match(Buffer.from(parsed.payload, 'base64url').toString(), payload);
      for (const { other, why } of alikeTo(parsed.signature)) {
        assert.equal(isSignedBy(key, algorithm, parsed.signedText, other), false, why);
      }
    });
  }

  test('RFC 7519 6.1, which is not signed, is refused', () => {
    assert.equal(parseSignedToken(`eyJhbGciOiJub25lIn0.${CLAIMS}.`), null);
  });
});

describe('what jose signs', () => {
  for (const algorithm of SIGNATURE_ALGORITHMS.filter((each) => !each.startsWith('HS'))) {
    test(`with ${algorithm} holds here, with the key as jose writes it`, async () => {
      const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
      const set = KeySet.parse(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'a', use: 'sig' }] }));
      const text = await new SignJWT({ sub: 'alice' })
        .setProtectedHeader({ alg: algorithm, kid: 'a', typ: 'JWT' })
        .setExpirationTime('1h')
        .sign(privateKey);
      const scheme = new JwtScheme(jwtOptions({ jwks_url: 'https://issuer.example/keys', algorithms: [algorithm] }), {
        unixMs: Date.now,
        keySets: { current: () => set, mayBeOld: () => false, renew: () => assert.fail('the key is known') },
      });
      assert.equal(Object.entries(scheme.judge(text)).find(([name]) => name === 'consumer')?.[1], 'alice');
    });
  }
});
