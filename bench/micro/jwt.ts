/** What a token costs that was verified before, and one that was not, by the algorithm of its signature. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bench, do_not_optimize, run } from 'mitata';
import { latin1Text } from '../../src/base/latin1.ts';
import { middlewareBlock } from '../../src/config/schema/middleware/block.ts';
import { JwtScheme } from '../../src/middleware/auth/jwt/jwt-scheme.ts';

const SECRET = 'kV7mQ2xW9zR4tB6nH1pL8cD3fG5jS0aY';
const COUNT = 64;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const edwards = generateKeyPairSync('ed25519');

const pemOf = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }).toString();

const ALGORITHMS: readonly { name: string; jwt: object; sign: (text: string) => Buffer }[] = [
  { name: 'HS256', jwt: { secret: SECRET }, sign: (text) => createHmac('sha256', SECRET).update(text).digest() },
  { name: 'RS256', jwt: { public_key: pemOf(rsa.publicKey) }, sign: (text) => signed('sha256', text, rsa.privateKey) },
  {
    name: 'ES256',
    jwt: { public_key: pemOf(curve.publicKey) },
    sign: (text) => signed('sha256', text, curve.privateKey),
  },
  {
    name: 'EdDSA',
    jwt: { public_key: pemOf(edwards.publicKey) },
    sign: (text) => signed(null, text, edwards.privateKey),
  },
];

function signed(hash: string | null, text: string, key: KeyObject): Buffer {
  const padding = key.asymmetricKeyType === 'rsa' ? { padding: constants.RSA_PKCS1_PADDING } : {};
  return sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363', ...padding });
}

function tokens(alg: string, signText: (text: string) => Buffer): readonly string[] {
  return Array.from({ length: COUNT }, (_, n) => {
    const claims = {
      iss: 'https://issuer.example',
      sub: `user-${n}`,
      aud: 'api',
      exp: 9_000_000_000,
      scope: 'read write',
    };
    const parts = [{ alg, typ: 'JWT', kid: '2026-01' }, claims];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${signText(text).toString('base64url')}`;
  });
}

for (const { name, jwt, sign: signText } of ALGORITHMS) {
  const { authentication } = middlewareBlock.parse({
    authentication: { auth_type: 'jwt', jwt: { algorithm: name, ...jwt } },
  });
  if (authentication?.jwt === undefined) throw new Error('there are no options');
  // Cut out of a head for every request, as the gateway does: a text that was never looked up before has no hash yet.
  const heads = tokens(name, signText).map((token) => Buffer.from(`Authorization: Bearer ${token}\r\n`));
  let nowMs = 1_800_000_000_000;
  const scheme = new JwtScheme(authentication.jwt, {
    unixMs: () => nowMs,
    keySets: { current: () => null, mayBeOld: () => false, renew: () => null },
  });
  let next = 0;
  const cut = (): string => {
    next = (next + 1) & (COUNT - 1);
    const head = heads[next] as Buffer;
    return latin1Text(head, 22, head.length - 2);
  };
  bench(`${name}, verified before`, () => do_not_optimize(scheme.judge(cut())));
  bench(`${name}, not verified before`, () => {
    // So long after the last time, that none of them is believed any more.
    nowMs += 300_001;
    do_not_optimize(scheme.judge(cut()));
  });
}

await run();
