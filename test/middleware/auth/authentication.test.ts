import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PhotonError } from '../../../src/base/errors.ts';
import { FieldGroup, type FieldPair } from '../../../src/base/field-group.ts';
import { authenticateBy } from '../../../src/middleware/auth/authentication.ts';
import { type Attempt, type AuthScheme, Refusal } from '../../../src/middleware/auth/scheme.ts';
import type { Exchange } from '../../../src/pipeline/exchange.ts';
import type { Middleware } from '../../../src/pipeline/middleware.ts';
import { fakeScene } from '../../contract/fake-streams.ts';

const ALICE = { consumer: 'alice', fields: new FieldGroup([['X-User', 'alice']]) };
const BOB = { consumer: 'bob', fields: null };
const WRONG = new Refusal('One error="wrong"');
const ELSE_WRONG = new Refusal('Two error="wrong"');

/** A scheme that always finds the same. */
function scheme(
  challenge: string,
  attempt: Attempt | Promise<Attempt> | (() => never),
  drops: string[] = [],
): AuthScheme {
  return {
    challenge,
    requestDrops: drops,
    attempt: () => (typeof attempt === 'function' ? attempt() : attempt),
    hide: () => {},
  };
}

/** Of the first reply, with the fields of the challenges in their order, which the fakes join. */
async function replyOf(...schemes: AuthScheme[]) {
  const middleware = authenticateBy(schemes);
  const { client, settle, upstreamRequests } = fakeScene({ middleware: [noted(middleware)] });
  client.begin('GET', '/to/a', {}, 'none');
  await settle();
  await settle();
  return { status: client.replies[0]?.status, upstream: upstreamRequests(), fields: refusals.splice(0).flat() };
}

const refusals: (readonly FieldPair[])[] = [];

/** The same middleware; the fields of its refusals are written down. */
function noted(middleware: Middleware): Middleware {
  return {
    ...middleware,
    onFinish: (_exchange, error) => refusals.push(error?.fields?.pairs ?? []),
  };
}

const LET_IN = { status: 0, upstream: 1, fields: [] };
const refused = (...challenges: string[]) => ({
  status: 401,
  upstream: 0,
  fields: challenges.map((each) => ['WWW-Authenticate', each]),
});

describe('of several ways to authenticate', () => {
  test('each says what it wants when there are no credentials at all', async () => {
    const reply = await replyOf(scheme('One', null), scheme('Two', null));
    assert.deepEqual(reply, refused('One', 'Two'));
  });

  test('the first that finds credentials lets in', async () => {
    assert.deepEqual(await replyOf(scheme('One', ALICE), scheme('Two', WRONG)), LET_IN);
    assert.deepEqual(await replyOf(scheme('One', null), scheme('Two', BOB)), LET_IN);
  });

  test('the first that finds wrong credentials refuses, and the others are not asked', async () => {
    const reply = await replyOf(
      scheme('One', WRONG),
      scheme('Two', () => assert.fail('it was asked')),
    );
    assert.deepEqual(reply, refused('One error="wrong"', 'Two'));
  });

  test('each refuses with its own challenge, whoever refused before', () => {
    const turns: [Attempt, Attempt][] = [
      [WRONG, null],
      [null, ELSE_WRONG],
      [WRONG, null],
      [null, null],
      [null, ELSE_WRONG],
    ];
    let turn: [Attempt, Attempt] = [null, null];
    const { onRequest } = authenticateBy([
      { challenge: 'One', requestDrops: [], attempt: () => turn[0], hide: () => {} },
      { challenge: 'Two', requestDrops: [], attempt: () => turn[1], hide: () => {} },
    ]);
    const answers = turns.map((each) => {
      turn = each;
      // Sound: a refusal looks at nothing of the exchange.
      const error = onRequest?.({} as Exchange);
      return error instanceof PhotonError ? error.fields?.pairs : assert.fail('it was let in');
    });
    const [one, two, none] = [
      ['One error="wrong"', 'Two'],
      ['One', 'Two error="wrong"'],
      ['One', 'Two'],
    ].map((challenges) => refused(...challenges).fields);
    assert.deepEqual(answers, [one, two, one, none, two]);
  });

  test('one that needs time does as one that does not', async () => {
    assert.deepEqual(await replyOf(scheme('One', Promise.resolve(ALICE)), scheme('Two', null)), LET_IN);
    assert.deepEqual(await replyOf(scheme('One', Promise.resolve(WRONG))), refused('One error="wrong"'));
    assert.deepEqual(await replyOf(scheme('One', Promise.resolve(null))), refused('One'));
  });

  test('one that needs time leaves the exchange alone that has become another one meanwhile', async () => {
    const found = Promise.withResolvers<Attempt>();
    const exchange = { useCount: 7, consumer: '', requestAdditions: null };
    // Sound: a scheme that looks at nothing gets it, and the frame uses these members alone.
    const asked = authenticateBy([scheme('One', found.promise)]).onRequest?.(exchange as unknown as Exchange);
    exchange.useCount++;
    found.resolve(ALICE);
    await asked;
    assert.deepEqual(exchange, { useCount: 8, consumer: '', requestAdditions: null });
  });

  test('one that cannot tell says so', async () => {
    const fail = () => {
      throw new PhotonError('authentication_unavailable', 'Not now.');
    };
    assert.equal((await replyOf(scheme('One', fail))).status, 503);
  });

  test('one that breaks lets nobody in', async () => {
    const fail = () => {
      throw new TypeError('no such thing');
    };
    assert.deepEqual(await replyOf(scheme('One', fail), scheme('Two', BOB)), { status: 500, upstream: 0, fields: [] });
  });

  test('none at all lets nobody in', async () => {
    assert.deepEqual(await replyOf(), refused());
  });

  test('all name the fields that do not go upstream', () => {
    const { requestDrops } = authenticateBy([scheme('One', null, ['a']), scheme('Two', null, ['b'])]);
    assert.deepEqual(requestDrops, ['a', 'b']);
  });
});
