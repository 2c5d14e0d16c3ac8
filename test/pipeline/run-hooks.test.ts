import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PhotonError } from '../../src/base/errors.ts';
import { FieldGroup } from '../../src/base/field-group.ts';
import type { ExchangeContext } from '../../src/pipeline/exchange-context.ts';
import { type Answer, type Middleware, STAGES, type Verdict } from '../../src/pipeline/middleware.ts';
import { fakeScene } from '../contract/fake-streams.ts';
import type { ClientSide } from '../contract/scene.ts';

const REFUSAL = new PhotonError('rate_limited', 'Enough.', new FieldGroup([['X-Why', 'too many']]));

/** A middleware that writes down when it is asked. */
function noted(
  notes: string[],
  stage: Middleware['stage'],
  verdict: (exchange: ExchangeContext) => Verdict = () => undefined,
) {
  return {
    name: stage,
    stage,
    onRequest: (exchange) => {
      notes.push(`> ${stage}`);
      return verdict(exchange);
    },
    onResponse: ({ reply }) => {
      notes.push(`< ${stage}`);
      reply.additions.add(`X-Passed-${stage.replace('_', '-')}`, 'yes');
    },
    onFinish: (_exchange, error) => {
      notes.push(`. ${stage} ${error?.code ?? 'ok'}`);
    },
  } satisfies Middleware;
}

/** The stages whose response hooks have run on the first reply, in that order. */
const stagesRun = ({ replies }: ClientSide) =>
  Object.keys(replies[0]?.fields ?? {}).flatMap((name) => (name.startsWith('x-passed-') ? [name.slice(9)] : []));

function sceneOf(...middleware: Middleware[]) {
  const scene = fakeScene({ middleware });
  const get = async (target = '/to/a') => {
    scene.client.begin('GET', target, {}, 'none');
    await scene.settle();
  };
  return { ...scene, get };
}

describe('the middleware of a route', () => {
  test('has its hooks run in the order of its stages, whatever the order it is given in, and in the reverse order on replies', async () => {
    const notes: string[] = [];
    const { get, upstream, client } = sceneOf(...STAGES.toReversed().map((stage) => noted(notes, stage)));
    await get();
    assert.deepEqual(
      notes,
      STAGES.map((stage) => `> ${stage}`),
    );
    notes.length = 0;
    upstream().begin(200, {}, 'none');
    assert.deepEqual(
      notes.slice(0, STAGES.length),
      STAGES.toReversed().map((stage) => `< ${stage}`),
    );
    assert.deepEqual(
      notes.slice(STAGES.length),
      STAGES.toReversed().map((stage) => `. ${stage} ok`),
    );
    assert.deepEqual(
      stagesRun(client),
      STAGES.toReversed().map((stage) => stage.replace('_', '-')),
    );
  });

  test('that answers keeps the request from what comes after it, and the response hooks of what came before run on the answer', async () => {
    const notes: string[] = [];
    const answer: Answer = { status: 203, fields: [['X-By', 'me']], body: 'mine' };
    const scene = sceneOf(
      noted(notes, 'cors'),
      noted(notes, 'respond', () => answer),
      noted(notes, 'transform'),
    );
    await scene.get();
    assert.equal(scene.upstreamRequests(), 0);
    assert.deepEqual(notes, ['> cors', '> respond', '< respond', '< cors', '. respond ok', '. cors ok']);
    const [reply] = scene.client.replies;
    assert.deepEqual(
      [reply?.status, reply?.body, reply?.fields['x-by'], reply?.ending],
      [203, 'mine', 'me', 'complete'],
    );
  });

  test('that refuses does so with its own error and the fields that belong to it', async () => {
    const notes: string[] = [];
    const refuse = () => {
      throw new PhotonError('unauthorized', 'Who are you?', new FieldGroup([['WWW-Authenticate', 'Bearer']]));
    };
    const scene = sceneOf(noted(notes, 'cors'), noted(notes, 'authentication', refuse), noted(notes, 'transform'));
    await scene.get();
    const [reply] = scene.client.replies;
    assert.deepEqual([reply?.status, reply?.fields['www-authenticate']], [401, 'Bearer']);
    assert.deepEqual(stagesRun(scene.client), ['authentication', 'cors']);
    assert.equal(scene.upstreamRequests(), 0);
    assert.deepEqual(notes.slice(-2), ['. authentication unauthorized', '. cors unauthorized']);
  });

  test('that breaks is a 500 for that request and told with its name', async () => {
    const broken = () => {
      throw new TypeError('no such thing');
    };
    const scene = sceneOf(noted([], 'custom', broken));
    await scene.get();
    assert.equal(scene.client.replies[0]?.status, 500);
    assert.match(String(scene.faults[0]), /no such thing/);
    assert.equal(scene.upstreamRequests(), 0);
  });

  test('whose response hook breaks is a 500, on which the other response hooks run', async () => {
    const notes: string[] = [];
    const onResponse = () => {
      throw new Error('not this one');
    };
    const scene = sceneOf(noted(notes, 'cors'), { ...noted(notes, 'transform'), onResponse });
    await scene.get();
    scene.upstream().begin(200, {}, { length: 4 });
    assert.deepEqual([scene.client.replies[0]?.status, scene.upstream().cancelled], [500, true]);
    assert.deepEqual(stagesRun(scene.client), ['cors']);
  });

  for (const { how, refuse, why } of [
    { how: 'returns', refuse: () => REFUSAL, why: 'what is refused often costs no throw' },
    {
      how: 'throws',
      refuse: () => {
        throw REFUSAL;
      },
      why: 'from any depth',
    },
    { how: 'waits, then gives', refuse: () => Promise.resolve(REFUSAL), why: 'keys had to be fetched' },
  ]) {
    test(`that ${how} an error refuses the request with it (${why})`, async () => {
      const notes: string[] = [];
      const scene = sceneOf(noted(notes, 'cors'), { ...noted(notes, 'custom'), onRequest: refuse });
      await scene.get();
      await scene.settle();
      const [reply] = scene.client.replies;
      assert.deepEqual([reply?.status, reply?.fields['x-why']], [429, 'too many']);
      assert.deepEqual(stagesRun(scene.client), ['custom', 'cors']);
      assert.equal(scene.upstreamRequests(), 0);
      assert.deepEqual(notes.slice(-2), ['. custom rate_limited', '. cors rate_limited']);
    });
  }

  test('that waits lets the request go on when it is ready', async () => {
    const ready = Promise.withResolvers<Verdict>();
    const scene = sceneOf({ name: 'slow', stage: 'custom', onRequest: () => ready.promise });
    await scene.get();
    assert.equal(scene.upstreamRequests(), 0);
    ready.resolve(undefined);
    await ready.promise;
    await scene.settle();
    assert.equal(scene.upstreamRequests(), 1);
  });

  test('that waits for ever is cut by the deadline of the route, and what it says later is of no use', async () => {
    const ready = Promise.withResolvers<Verdict>();
    const scene = sceneOf({ name: 'slow', stage: 'custom', onRequest: () => ready.promise });
    await scene.get('/deadline/a');
    await scene.passMs(60_000);
    assert.equal(scene.client.replies[0]?.status, 504);
    ready.resolve(undefined);
    await ready.promise;
    assert.equal(scene.upstreamRequests(), 0);
  });

  test('that waits and fails is a 500', async () => {
    const ready = Promise.withResolvers<Verdict>();
    const scene = sceneOf({ name: 'slow', stage: 'custom', onRequest: () => ready.promise });
    await scene.get();
    ready.reject(new Error('gave up'));
    await assert.rejects(ready.promise);
    await scene.settle();
    assert.equal(scene.client.replies[0]?.status, 500);
  });
});
