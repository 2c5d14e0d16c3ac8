import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { PhotonError } from '../../../src/base/errors.ts';
import { JwtScheme } from '../../../src/middleware/auth/jwt/jwt-scheme.ts';
import { KeySet } from '../../../src/middleware/auth/jwt/key-set.ts';
import { Refusal } from '../../../src/middleware/auth/scheme.ts';
import { WorkerKeySets } from '../../../src/worker/worker-key-sets.ts';
import { jwkOf, jwtOptions, keyPair, signedToken } from '../../support/tokens.ts';

const URL = 'https://issuer.example/keys';
const old = keyPair('RS256');
const young = keyPair('RS256');
const curve = keyPair('ES256');

const setOf = (...keys: readonly object[]): string => JSON.stringify({ keys });
const named = (key: KeyObject, kid: string, more: object = {}): object => jwkOf(key, { kid, ...more });

/** A worker's view, whose questions are counted and answered by hand. */
function scene(text: string | null = null) {
  let nowMs = 0;
  const asked: string[] = [];
  const sets = new WorkerKeySets(
    () => nowMs,
    (url) => asked.push(url),
  );
  if (text !== null) sets.use({ url: URL, text, failed: false });
  const options = jwtOptions({ jwks_url: URL, algorithms: ['RS256', 'ES256'] });
  const scheme = new JwtScheme(options, { unixMs: Date.now, keySets: sets });
  const judge = async (token: string): Promise<string> => {
    const judged = await scheme.judge(token);
    return judged instanceof Refusal ? 'refused' : judged.consumer;
  };
  return { sets, scheme, asked, judge, pass: (ms: number) => (nowMs += ms) };
}

const by = (pair: typeof old, kid?: string): string =>
  signedToken('RS256', pair.privateKey, kid === undefined ? {} : { kid });

describe('the keys of an issuer', () => {
  test('are found by the name that a token has for them', async () => {
    const { judge, asked } = scene(setOf(named(old.publicKey, 'old'), named(young.publicKey, 'young')));
    assert.equal(await judge(by(old, 'old')), 'alice');
    assert.equal(await judge(by(young, 'young')), 'alice');
    assert.equal(await judge(by(young, 'old')), 'refused');
    assert.deepEqual(asked, [], 'nothing is asked for because of a wrong signature');
  });

  test('are all tried for a token that names none', async () => {
    const { judge } = scene(
      setOf(named(curve.publicKey, 'c'), named(old.publicKey, 'old'), named(young.publicKey, 'young')),
    );
    assert.equal(await judge(by(young)), 'alice');
    assert.equal(await judge(by(keyPair('RS256'))), 'refused');
  });

  test('that change mid-flight are asked for once, and the request that waits is let in', async () => {
    const { judge, asked, sets } = scene(setOf(named(old.publicKey, 'old')));
    const waiting = [judge(by(young, 'young')), judge(by(young, 'young')), judge(by(young, 'elsewhere'))];
    assert.deepEqual(asked, [URL]);
    sets.use({ url: URL, text: setOf(named(young.publicKey, 'young')), failed: false });
    assert.deepEqual(await Promise.all(waiting), ['alice', 'alice', 'refused']);
  });

  test('that are taken back let nobody in any more, verified before or not', async () => {
    const { judge, sets } = scene(setOf(named(old.publicKey, 'old')));
    const token = by(old, 'old');
    assert.equal(await judge(token), 'alice');
    sets.use({ url: URL, text: setOf(), failed: false });
    const refused = judge(token);
    sets.use({ url: URL, text: setOf(), failed: false });
    assert.equal(await refused, 'refused');
  });

  test('that stay the same leave verified tokens as they are', () => {
    const text = setOf(named(old.publicKey, 'old'));
    const { scheme, sets } = scene(text);
    const token = by(old, 'old');
    const first = scheme.judge(token);
    sets.use({ url: URL, text, failed: false });
    assert.equal(scheme.judge(token), first);
  });

  test('are asked for once in ten seconds, however many tokens name others', async () => {
    const { judge, asked, sets, pass } = scene(setOf(named(old.publicKey, 'old')));
    for (let second = 0; second < 30; second++) {
      const judged = Array.from({ length: 1000 }, (_, n) => judge(`${by(old, 'old').replace(/^[^.]*/, headerOf(n))}`));
      sets.use({ url: URL, text: null, failed: false });
      assert.ok((await Promise.all(judged)).every((each) => each === 'refused'));
      pass(1000);
    }
    assert.equal(asked.length, 3);
  });

  test('that are not known yet make for 503, and the first answer with keys ends that', async () => {
    const { judge, sets, pass } = scene();
    const early = judge(by(old, 'old'));
    sets.use({ url: URL, text: null, failed: false });
    const unavailable = (error: unknown) => error instanceof PhotonError && error.code === 'authentication_unavailable';
    await assert.rejects(early, unavailable);
    await assert.rejects(judge(by(old, 'old')), unavailable, 'at once, while it was asked just now');
    pass(10_000);
    const later = judge(by(old, 'old'));
    sets.use({ url: URL, text: setOf(named(old.publicKey, 'old')), failed: false });
    assert.equal(await later, 'alice');
  });
});

function headerOf(n: number): string {
  return Buffer.from(JSON.stringify({ alg: 'RS256', kid: `invented ${n}` })).toString('base64url');
}

describe('a set of keys', () => {
  for (const text of ['', 'null', '[]', '7', '{}', '{"keys":{}}', '{"keys":null}', '<html>', '{"keys":[']) {
    test(`is not read from ${JSON.stringify(text)}`, () => assert.equal(KeySet.parse(text), null));
  }

  const OTHERS: readonly { key: unknown; why: string }[] = [
    { key: named(old.publicKey, 'k', { use: 'enc' }), why: 'for encryption' },
    { key: named(old.publicKey, 'k', { key_ops: ['encrypt'] }), why: 'for encryption' },
    { key: named(old.publicKey, 'k', { key_ops: 'verify' }), why: 'a text for a list' },
    { key: named(old.publicKey, 'k', { alg: 'RS512' }), why: 'for another algorithm' },
    { key: named(old.privateKey, 'k'), why: 'its private half is there' },
    { key: { kty: 'oct', k: 'c2VjcmV0', kid: 'k' }, why: 'a shared secret' },
    { key: named(old.publicKey, 'k', { n: 'AQAB' }), why: 'a modulus of three bytes' },
    { key: { kty: 'RSA', kid: 'k' }, why: 'nothing in it' },
    { key: { ...named(old.publicKey, 'k'), kty: 'EC' }, why: 'of another kind' },
    { key: null, why: 'nothing' },
    { key: 'k', why: 'a text' },
    { key: named(old.publicKey, 'k', { kid: ['k'] }), why: 'named by a list' },
  ];
  for (const { key, why } of OTHERS) {
    test(`leaves out what is of no use: ${why}`, () => {
      const set = KeySet.parse(JSON.stringify({ keys: [key, named(curve.publicKey, 'c')] }));
      assert.equal(set?.keysFor('RS256', 'k').length, 0);
      assert.equal(set?.keysFor('ES256', 'c').length, 1);
    });
  }

  test('has an RSA key of at least 2048 bits and a curve of its algorithm', () => {
    const p384 = keyPair('ES384');
    const set = KeySet.parse(setOf(named(p384.publicKey, 'c')));
    assert.equal(set?.keysFor('ES256', 'c').length, 0);
    assert.equal(set?.keysFor('ES384', 'c').length, 1);
    assert.equal(set?.keysFor('HS256', 'c').length, 0);
  });

  test('of thousands of keys is read as far as a hundred, and eight of them are tried', () => {
    const keys = Array.from({ length: 3000 }, (_, n) => named(old.publicKey, String(n)));
    const set = KeySet.parse(setOf(...keys));
    assert.equal(set?.size, 100);
    assert.equal(set?.keysFor('RS256', null).length, 8);
  });
});
