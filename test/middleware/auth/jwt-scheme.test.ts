import assert from 'node:assert/strict';
import { constants, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { SIGNATURE_ALGORITHMS } from '../../../src/base/signature-algorithm.ts';
import { JwtScheme } from '../../../src/middleware/auth/jwt/jwt-scheme.ts';
import { type Identity, Refusal } from '../../../src/middleware/auth/scheme.ts';
import {
  base64url,
  jwkOf,
  jwtOptions,
  keyPair,
  pemOf,
  rawToken,
  SECRET,
  signedToken,
  token,
} from '../../support/tokens.ts';

const NO_KEY_SETS = { current: () => null, mayBeOld: () => false, renew: () => null };

/** A time in seconds that the tests count from. */
const NOW = 1_800_000_000;

function schemeOf(options: object = {}, clock = { unixMs: () => Date.now() }): JwtScheme {
  return new JwtScheme(jwtOptions({ secret: SECRET, ...options }), { ...clock, keySets: NO_KEY_SETS });
}

const withPublicKey = (algorithms: readonly string[], key: Parameters<typeof pemOf>[0]): JwtScheme =>
  new JwtScheme(jwtOptions({ public_key: pemOf(key), algorithms }), { unixMs: Date.now, keySets: NO_KEY_SETS });

/** The consumer and the fields of a token that is let in, or `refused`. */
function outcome(scheme: JwtScheme, text: string): string {
  const judged = scheme.judge(text);
  assert.ok(!(judged instanceof Promise), 'nothing is waited for');
  return judged instanceof Refusal
    ? 'refused'
    : `${judged.consumer}\t${judged.fields?.pairs.map((pair) => pair.join(': ')).join(', ') ?? ''}`;
}

const expectRefused = (scheme: JwtScheme, text: string, why = ''): void =>
  assert.equal(outcome(scheme, text), 'refused', `${why}: ${text.slice(0, 120)}`);

const expectLetIn = (scheme: JwtScheme, text: string, consumer = 'alice', why = ''): void =>
  assert.equal(outcome(scheme, text).split('\t')[0], consumer, why);

describe('a token', () => {
  for (const algorithm of SIGNATURE_ALGORITHMS.filter((each) => !each.startsWith('HS'))) {
    test(`signed with ${algorithm} holds for its public key and no other`, () => {
      const { publicKey, privateKey } = keyPair(algorithm);
      expectLetIn(withPublicKey([algorithm], publicKey), signedToken(algorithm, privateKey));
      expectRefused(withPublicKey([algorithm], keyPair(algorithm).publicKey), signedToken(algorithm, privateKey));
    });
  }

  for (const bits of [256, 384, 512]) {
    test(`signed with HS${bits} holds for its secret and no other`, () => {
      const payload = JSON.stringify({ sub: 'alice', exp: NOW * 2 });
      const text = rawToken(`{"alg":"HS${bits}"}`, payload, SECRET, `sha${bits}`);
      expectLetIn(schemeOf({ algorithm: `HS${bits}` }), text);
      expectRefused(schemeOf({ algorithm: `HS${bits}`, secret: `${SECRET}.` }), text);
      expectRefused(schemeOf({ algorithm: bits === 256 ? 'HS512' : 'HS256' }), text, 'another algorithm');
    });
  }

  test('is believed in the configured algorithms only', () => {
    const { publicKey, privateKey } = keyPair('RS256');
    expectRefused(withPublicKey(['RS512'], publicKey), signedToken('RS256', privateKey));
    expectRefused(withPublicKey(['RS256'], publicKey), signedToken('PS256', privateKey));
    expectLetIn(withPublicKey(['RS256', 'PS256'], publicKey), signedToken('PS256', privateKey));
  });

  test('signed with the public key taken for a shared secret is refused, whatever is configured', () => {
    const { publicKey } = keyPair('RS256');
    for (const secret of [pemOf(publicKey), pemOf(publicKey).trim(), JSON.stringify(jwkOf(publicKey))]) {
      const text = rawToken('{"alg":"HS256"}', JSON.stringify({ sub: 'mallory', exp: NOW * 2 }), secret);
      expectRefused(withPublicKey(['RS256'], publicKey), text);
      expectRefused(withPublicKey(['RS256', 'HS256'], publicKey), text, 'HS256 beside it');
    }
  });

  const NONE = ['none', 'None', 'NONE', 'nOnE', 'none ', '', 'null', 'HS256\u0000', 'hs256', 'Hs256', ' HS256'];
  for (const alg of NONE) {
    test(`with the algorithm ${JSON.stringify(alg)} is refused, signed or not`, () => {
      const header = JSON.stringify({ alg });
      const payload = JSON.stringify({ sub: 'mallory', exp: NOW * 2 });
      expectRefused(schemeOf(), rawToken(header, payload));
      expectRefused(schemeOf(), `${base64url(header)}.${base64url(payload)}.`);
      expectRefused(schemeOf(), `${base64url(header)}.${base64url(payload)}`);
    });
  }

  const HEADERS: readonly { header: string; why: string }[] = [
    { header: '{}', why: 'no algorithm' },
    { header: '{"alg":null}', why: 'no algorithm' },
    { header: '{"alg":["HS256"]}', why: 'a list is no algorithm, though JavaScript writes it like one' },
    { header: '{"alg":{"toString":"HS256"}}', why: 'an object' },
    { header: '{"alg":"constructor"}', why: 'what every object inherits' },
    { header: '{"alg":"__proto__"}', why: 'likewise' },
    { header: '{"__proto__":{"alg":"HS256"}}', why: 'a member of another object' },
    { header: '{"alg":"HS256","crit":["exp"]}', why: 'RFC 7515 4.1.11' },
    { header: '{"alg":"HS256","crit":[]}', why: 'an empty list of what is critical' },
    { header: '{"alg":"HS256","b64":false,"crit":["b64"]}', why: 'RFC 7797' },
    { header: '{"alg":"HS256","kid":["a"]}', why: 'a key id that is a list' },
    { header: '{"alg":"HS256","kid":{"a":1}}', why: 'a key id that is an object' },
    { header: '{"alg":"HS256","kid":7}', why: 'a key id that is a number' },
    { header: '{"alg":"none","alg":"HS256"}', why: 'two algorithms' },
    { header: '{"alg":"HS256","\\u0061lg":"none"}', why: 'two algorithms, one of them spelt' },
    { header: '["HS256"]', why: 'no object' },
    { header: '"HS256"', why: 'no object' },
    { header: 'null', why: 'no object' },
    { header: '{"alg":"HS256"', why: 'not JSON' },
    { header: '{"alg":"HS256"}x', why: 'more than JSON' },
    { header: '\ufeff{"alg":"HS256"}', why: 'a byte order mark' },
    { header: `{"alg":"HS256","x":${'['.repeat(40)}${']'.repeat(40)}}`, why: 'nested deeply' },
  ];
  for (const { header, why } of HEADERS) {
    test(`with the header ${header.slice(0, 50)} is refused: ${why}`, () => {
      expectRefused(schemeOf(), rawToken(header, JSON.stringify({ sub: 'alice', exp: NOW * 2 })));
    });
  }

  const KEY_IDS = ['../../../dev/null', '/etc/passwd', "' UNION SELECT 'secret' --", '|id', '', '\u0000', '__proto__'];
  for (const kid of KEY_IDS) {
    test(`gains nothing by the key id ${JSON.stringify(kid)}`, () => {
      const header = JSON.stringify({ alg: 'HS256', kid });
      const payload = JSON.stringify({ sub: 'mallory', exp: NOW * 2 });
      for (const secret of ['', 'secret', '\u0000']) {
        expectRefused(schemeOf(), rawToken(header, payload, secret));
      }
    });
  }

  test('that brings its own key, or says where it is, is signed with the key of the gateway or refused', () => {
    const { publicKey, privateKey } = keyPair('RS256');
    const own = keyPair('RS256');
    const brought = {
      jwk: jwkOf(own.publicKey),
      jku: 'http://127.0.0.1:1/',
      x5u: 'http://127.0.0.1:1/',
      x5c: ['MIIB'],
    };
    expectRefused(withPublicKey(['RS256'], publicKey), signedToken('RS256', own.privateKey, brought));
    expectLetIn(withPublicKey(['RS256'], publicKey), signedToken('RS256', privateKey, brought));
  });

  test('signed with PS256 has a salt as long as the hash (RFC 7518 3.5)', () => {
    const { publicKey, privateKey } = keyPair('PS256');
    const text = signedToken('PS256', privateKey).split('.').slice(0, 2).join('.');
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    for (const saltLength of [0, 20, 31, 33]) {
      const signature = sign('sha256', Buffer.from(text), { key: privateKey, padding, saltLength });
      expectRefused(withPublicKey(['PS256'], publicKey), `${text}.${base64url(signature)}`);
    }
  });

  test('signed with ES256 has its signature as two numbers, not as DER', () => {
    const { publicKey, privateKey } = keyPair('ES256');
    const text = signedToken('ES256', privateKey).split('.').slice(0, 2).join('.');
    const der = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'der' });
    expectRefused(withPublicKey(['ES256'], publicKey), `${text}.${base64url(der)}`);
  });

  for (const { algorithm, signatureBytes } of [
    { algorithm: 'ES256', signatureBytes: 64 },
    { algorithm: 'ES384', signatureBytes: 96 },
    { algorithm: 'ES512', signatureBytes: 132 },
    { algorithm: 'EdDSA', signatureBytes: 64 },
    { algorithm: 'RS256', signatureBytes: 256 },
    { algorithm: 'PS256', signatureBytes: 256 },
  ]) {
    test(`with a signature of zeros, which some libraries took for one, is refused (${algorithm})`, () => {
      const { publicKey, privateKey } = keyPair(algorithm);
      const text = signedToken(algorithm, privateKey).split('.').slice(0, 2).join('.');
      const scheme = withPublicKey([algorithm], publicKey);
      for (const length of [1, signatureBytes]) {
        expectRefused(scheme, `${text}.${base64url(Buffer.alloc(length))}`);
      }
    });
  }

  test('has one spelling: whatever base64 readers forgive is refused', () => {
    const text = token();
    const [header = '', payload = '', signature = ''] = text.split('.');
    const spellings = [
      `${header}.${payload}.${signature}=`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -1)}`,
      `${header}.${payload}.${signature} `,
      ` ${text}`,
      `${header}.${payload}.${signature}\n`,
      `${header}.${payload}\t.${signature}`,
      `${header}.${payload}.${signature.slice(0, 20)}\u0000${signature.slice(20)}`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}.${signature}.${signature}`,
      `.${text}`,
      `${text}.`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      '..',
      '...',
      '',
      '.',
      `${text},${text}`,
      text
        .replaceAll('-', '+')
        .replaceAll('_', '/')
        .replace(/\.[^.]*$/, `.${signature}+/`),
    ];
    for (const each of spellings) expectRefused(schemeOf(), each);
    const last = signature.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const spare = alphabet[alphabet.indexOf(last) + 1] ?? '';
    expectRefused(schemeOf(), `${header}.${payload}.${signature.slice(0, -1)}${spare}`, 'bits that are left over');
    expectLetIn(schemeOf(), text);
  });

  test('longer than 8192 characters is not looked at', () => {
    const withRoom = (chars: number) => token({ sub: 'alice', room: 'x'.repeat(chars) });
    expectLetIn(schemeOf(), withRoom(6000));
    expectRefused(schemeOf(), withRoom(6100));
  });
});

describe('the claims of a token', () => {
  const claims = (members: string): string => rawToken('{"alg":"HS256"}', `{"sub":"alice",${members}}`);
  const at = (seconds: number) => ({ unixMs: () => seconds * 1000 });

  const TIMES: readonly { members: string; now: number; holds: boolean; leeway?: string; why: string }[] = [
    { members: `"exp":${NOW}`, now: NOW - 0.001, holds: true, why: 'the last moment before its end' },
    { members: `"exp":${NOW}`, now: NOW, holds: false, why: 'RFC 7519 4.1.4: on or after' },
    { members: `"exp":${NOW}`, now: NOW + 4.999, holds: true, leeway: '5s', why: 'the last moment of the leeway' },
    { members: `"exp":${NOW}`, now: NOW + 5, holds: false, leeway: '5s', why: 'the end of the leeway' },
    { members: `"exp":${NOW}.5`, now: NOW + 0.499, holds: true, why: 'a fraction counts' },
    { members: `"exp":${NOW}.5`, now: NOW + 0.5, holds: false, why: 'a fraction counts' },
    { members: `"exp":${NOW * 2},"nbf":${NOW}`, now: NOW, holds: true, why: 'from the first moment on' },
    { members: `"exp":${NOW * 2},"nbf":${NOW}`, now: NOW - 0.001, holds: false, why: 'the moment before' },
    { members: `"exp":${NOW * 2},"nbf":${NOW}`, now: NOW - 5, holds: true, leeway: '5s', why: 'clocks apart' },
    { members: `"exp":${NOW * 2},"nbf":${NOW}`, now: NOW - 5.001, holds: false, leeway: '5s', why: 'too far apart' },
    { members: '"exp":0', now: NOW, holds: false, why: 'long over' },
    { members: '"exp":-1', now: NOW, holds: false, why: 'before 1970' },
    { members: '"exp":1e300', now: NOW, holds: true, why: 'huge, and a number' },
    { members: '"exp":1e999', now: NOW, holds: false, why: 'read as infinity' },
    { members: '"exp":"1e300"', now: NOW, holds: false, why: 'a text' },
    { members: `"exp":[${NOW * 2}]`, now: NOW, holds: false, why: 'a list' },
    { members: '"exp":null', now: NOW, holds: false, why: 'nothing' },
    { members: '"exp":true', now: NOW, holds: false, why: 'a flag' },
    { members: `"exp":1,"exp":${NOW * 2}`, now: NOW, holds: false, why: 'two ends' },
    { members: `"exp":${NOW * 2},"nbf":"0"`, now: NOW, holds: false, why: 'a text' },
    { members: `"exp":${NOW * 2},"nbf":null`, now: NOW, holds: false, why: 'nothing' },
    { members: `"exp":${NOW * 2},"nbf":-1e999`, now: NOW, holds: false, why: 'infinity' },
    { members: '"iat":0', now: NOW, holds: false, why: 'no end' },
  ];
  for (const { members, now, holds, leeway = '0s', why } of TIMES) {
    test(`{${members}} ${holds ? 'holds' : 'does not hold'} at ${now} with a leeway of ${leeway}: ${why}`, () => {
      const scheme = schemeOf({ leeway }, at(now));
      if (holds) expectLetIn(scheme, claims(members));
      else expectRefused(scheme, claims(members));
    });
  }

  test('need no end where that is configured, but one that is there counts', () => {
    const scheme = schemeOf({ require_exp: false }, at(NOW));
    expectLetIn(scheme, claims('"a":1'));
    expectRefused(scheme, claims(`"exp":${NOW}`));
    expectRefused(scheme, claims('"exp":null'));
    expectRefused(scheme, claims('"exp":"never"'));
  });

  const IDP = 'https://idp/';
  const PARTIES: readonly { options: object; members: string; holds: boolean }[] = [
    { options: { issuer: IDP }, members: `"iss":"${IDP}"`, holds: true },
    { options: { issuer: [IDP] }, members: `"iss":"${IDP}"`, holds: true },
    { options: { issuer: ['https://login/', IDP] }, members: `"iss":"${IDP}"`, holds: true },
    { options: { issuer: IDP }, members: '"iss":"h"', holds: false },
    { options: { issuer: IDP }, members: '"iss":"https://idp"', holds: false },
    { options: { issuer: IDP }, members: `"iss":["${IDP}"]`, holds: false },
    { options: { issuer: IDP }, members: '"sub":"carol"', holds: false },
    { options: { issuer: IDP }, members: '"iss":"https://IDP/"', holds: false },
    { options: { issuer: [IDP] }, members: '"iss":"h"', holds: false },
    { options: { audience: 'orders' }, members: '"aud":"orders"', holds: true },
    { options: { audience: ['orders'] }, members: '"aud":"orders"', holds: true },
    { options: { audience: 'orders' }, members: '"aud":["bills","orders"]', holds: true },
    { options: { audience: ['carts', 'bills'] }, members: '"aud":["bills","orders"]', holds: true },
    { options: { audience: 'orders' }, members: '"aud":"o"', holds: false },
    { options: { audience: 'orders' }, members: '"aud":["o","r","d","e","s"]', holds: false },
    { options: { audience: 'orders' }, members: '"aud":["bills"]', holds: false },
    { options: { audience: 'orders' }, members: '"aud":[["orders"]]', holds: false },
    { options: { audience: 'orders' }, members: '"aud":[]', holds: false },
    { options: { audience: 'orders' }, members: '"aud":{"orders":1}', holds: false },
    { options: { audience: 'orders' }, members: '"aud":"orders,bills"', holds: false },
    { options: { audience: 'orders' }, members: '"sub":"carol"', holds: false },
    { options: {}, members: '"aud":"anybody","iss":"anybody"', holds: true },
  ];
  for (const { options, members, holds } of PARTIES) {
    test(`${JSON.stringify(options)} ${holds ? 'takes' : 'refuses'} {${members}}`, () => {
      const text = claims(`"exp":${NOW * 2},${members}`);
      if (holds) expectLetIn(schemeOf(options), text);
      else expectRefused(schemeOf(options), text);
    });
  }

  const PAYLOADS: readonly (string | Uint8Array)[] = [
    '[]',
    'null',
    '"x"',
    '7',
    '',
    '{',
    '{"exp":4000000000}}',
    '\ufeff{"exp":4000000000}',
    Buffer.concat([Buffer.from('{"exp":4000000000,"a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    `{"exp":4000000000,"a":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`,
    '{"exp":4000000000,"a":{"b":1,"b":2}}',
  ];
  for (const payload of PAYLOADS) {
    test(`are refused as ${String(payload).slice(0, 40)}`, () =>
      expectRefused(schemeOf(), rawToken('{"alg":"HS256"}', payload)));
  }

  test('say nothing twice, but different objects may say the same, and texts may look like members', () => {
    expectLetIn(schemeOf(), claims(`"exp":${NOW * 2},"a":{"b":1},"c":{"b":1},"d":["b","b"],"e":"\\"b\\":1,\\"b\\":2"`));
  });

  const CONSUMERS: readonly { members: string; consumer: string }[] = [
    { members: '"sub":"auth0|123"', consumer: 'auth0|123' },
    { members: '"sub":"John Doe"', consumer: 'John Doe' },
    { members: '"sub":"a\\r\\nX-Admin: 1"', consumer: 'a%0D%0AX-Admin: 1' },
    { members: '"sub":"a%0D"', consumer: 'a%250D' },
    { members: '"sub":" a "', consumer: '%20a%20' },
    { members: '"sub":"J\u00fcrgen"', consumer: 'J%C3%BCrgen' },
    { members: '"sub":"\\u0000"', consumer: '%00' },
    { members: '"sub":42', consumer: '42' },
    { members: '"a":1', consumer: '' },
  ];
  for (const { members, consumer } of CONSUMERS) {
    test(`{${members}} names the consumer ${JSON.stringify(consumer)}`, () => {
      expectLetIn(schemeOf(), rawToken('{"alg":"HS256"}', `{"exp":${NOW * 2},${members}}`), consumer);
    });
  }

  for (const sub of ['["a"]', '{"a":1}', 'null', '"\\ud800"', `"${'%'.repeat(2000)}"`]) {
    test(`that name ${sub.slice(0, 20)} as the consumer are refused`, () => {
      expectRefused(schemeOf(), rawToken('{"alg":"HS256"}', `{"exp":${NOW * 2},"sub":${sub}}`));
    });
  }

  test('are those of the token alone, not what every object inherits', () => {
    const options = { consumer_claim: 'constructor', forward_claims: { toString: 'X-A', __proto__: 'X-B' } };
    assert.equal(outcome(schemeOf(options), token()), '\t');
  });

  test('go upstream as fields that they cannot leave', () => {
    const scheme = schemeOf({
      forward_claims: { sub: 'X-User-ID', admin: 'X-Admin', level: 'X-Level', none: 'X-None' },
    });
    const text = token({ sub: 'a\r\nHost: b', admin: true, level: 1.5 });
    assert.equal(outcome(scheme, text).split('\t')[1], 'x-user-id: a%0D%0AHost: b, x-admin: true, x-level: 1.5');
    assert.deepEqual(scheme.requestDrops, ['x-user-id', 'x-admin', 'x-level', 'x-none']);
    expectRefused(scheme, token({ admin: ['yes'] }), 'a list is no value');
  });
});

describe('tokens that were verified', () => {
  const identityOf = (scheme: JwtScheme, text: string): Identity => scheme.judge(text) as Identity;

  test('are not looked at again for five minutes', () => {
    let nowMs = NOW * 1000;
    const scheme = schemeOf({}, { unixMs: () => nowMs });
    const text = token({ exp: NOW + 3600 });
    const first = identityOf(scheme, text);
    nowMs += 299_999;
    assert.equal(scheme.judge(text), first);
    nowMs += 1;
    assert.notEqual(scheme.judge(text), first);
    expectLetIn(scheme, text);
  });

  test('end with their exp and the leeway', () => {
    let nowMs = NOW * 1000;
    const scheme = schemeOf({ leeway: '2s' }, { unixMs: () => nowMs });
    const text = token({ exp: NOW + 10 });
    expectLetIn(scheme, text);
    nowMs += 11_999;
    expectLetIn(scheme, text);
    nowMs += 1;
    expectRefused(scheme, text);
  });

  test('do not hold before nbf, when the clock is put back', () => {
    let nowMs = NOW * 1000;
    const scheme = schemeOf({}, { unixMs: () => nowMs });
    const text = token({ exp: NOW + 10, nbf: NOW });
    expectLetIn(scheme, text);
    nowMs -= 1;
    expectRefused(scheme, text);
  });

  test('do not let others in: one character more, less or other is another token', () => {
    const scheme = schemeOf();
    const text = token();
    expectLetIn(scheme, text);
    for (const other of [`${text}x`, text.slice(0, -1), `x${text.slice(1)}`, text.toUpperCase()])
      expectRefused(scheme, other);
  });
});
