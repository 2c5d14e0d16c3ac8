import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { JwtScheme } from '../../../src/middleware/auth/jwt/jwt-scheme.ts';
import { Refusal } from '../../../src/middleware/auth/scheme.ts';
import { jwtOptions, keyPair, pemOf, rawToken, SECRET, signedToken, token } from '../../support/tokens.ts';

const CONTEXT = { unixMs: Date.now, keySets: { current: () => null, mayBeOld: () => false, renew: () => null } };

const rsa = keyPair('RS256');
const ec = keyPair('ES256');

const CASES = [
  { name: 'HS256', text: token({ name: 'x' }), options: { secret: SECRET } },
  {
    name: 'RS256',
    text: signedToken('RS256', rsa.privateKey),
    options: { public_key: pemOf(rsa.publicKey), algorithm: 'RS256' },
  },
  {
    name: 'ES256',
    text: signedToken('ES256', ec.privateKey),
    options: { public_key: pemOf(ec.publicKey), algorithm: 'ES256' },
  },
];

const refuses = (scheme: JwtScheme, text: string): boolean => scheme.judge(text) instanceof Refusal;

describe('a token that was changed', () => {
  for (const { name, text, options } of CASES) {
    const scheme = new JwtScheme(jwtOptions(options), CONTEXT);

    test(`in any one bit is refused (${name})`, () => {
      assert.equal(refuses(scheme, text), false);
      const bytes = Buffer.from(text, 'latin1');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const at = bit >> 3;
        bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
        assert.ok(refuses(scheme, bytes.toString('latin1')), `bit ${bit}`);
        bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
      }
    });

    test(`in one character, by one more or by one less is refused (${name})`, () => {
      const place = fc.nat(text.length - 1);
      const character = fc.nat(255).map((code) => String.fromCharCode(code));
      fc.assert(
        fc.property(place, character, fc.constantFrom(0, 1), (at, put, taken) => {
          const changed = text.slice(0, at) + put + text.slice(at + taken);
          assert.ok(changed === text || refuses(scheme, changed));
        }),
        { numRuns: 500 },
      );
    });
  }
});

test('nothing that comes for a token makes the scheme throw', () => {
  const scheme = new JwtScheme(jwtOptions({ secret: SECRET }), CONTEXT);
  const json = fc.json({ maxDepth: 3 });
  const bytes = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.tuple(json, json).map(([a, b]) => rawToken(a, b)),
      ),
      (text) => {
        assert.ok(refuses(scheme, text));
      },
    ),
  );
  // The claims of an honest issuer may be anything, too.
  fc.assert(
    fc.property(fc.oneof(json, bytes), (payload) => {
      scheme.judge(rawToken('{"alg":"HS256"}', payload));
    }),
  );
});
