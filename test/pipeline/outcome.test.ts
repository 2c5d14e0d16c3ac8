import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Middleware } from '../../src/pipeline/middleware.ts';
import { CircuitBreaker, type Guarded } from '../../src/upstream/circuit-breaker.ts';
import { fakeScene } from '../contract/fake-streams.ts';
import { DEADLINE_MS, type Scene } from '../contract/scene.ts';
import { settle } from '../support/guard.ts';
import { SETTINGS } from '../upstream/breaker-scene.ts';

/** Records the outcome of each attempt; each is the probe, with a claim of its own. */
class Recorder extends CircuitBreaker {
  readonly heard: string[] = [];
  readonly claims: number[] = [];

  constructor() {
    const log = { info: () => {}, warn: () => {} };
    super(SETTINGS, { backend: 'origin', log, time: { eventMs: 0 } });
  }

  override answered(_upstream: Guarded, claim: number): void {
    assert.ok(!this.claims.includes(claim), 'answered after the last word');
  }

  override succeeded(_upstream: Guarded, claim: number): void {
    this.#hear('succeeded', claim);
  }

  override failed(_upstream: Guarded, claim: number, reason: string): void {
    this.#hear(`failed: ${reason}`, claim);
  }

  override abandoned(_upstream: Guarded, claim: number): void {
    this.#hear('abandoned', claim);
  }

  #hear(what: string, claim: number): void {
    assert.ok(claim > 0, 'every attempt of these scenes is a probe');
    assert.ok(!this.claims.includes(claim), `reported twice for one attempt: ${what}, after ${this.heard}`);
    this.claims.push(claim);
    this.heard.push(what);
  }
}

const GET = ['GET', '/to/it', {}, 'none'] as const;

/** What happens, and what it tells about the upstream. */
const OUTCOMES: readonly { why: string; wants: readonly string[]; script: (scene: Scene) => Promise<void> | void }[] = [
  {
    why: 'a whole reply',
    wants: ['succeeded'],
    script: ({ upstream }) => upstream().begin(200, {}, 'none'),
  },
  { why: 'a client error', wants: ['succeeded'], script: ({ upstream }) => upstream().begin(429, {}, 'none') },
  ...[500, 502, 503, 504, 507, 520].map((status) => ({
    why: `a reply of ${status}`,
    wants: [`failed: status ${status}`],
    script: ({ upstream }: Scene) => upstream().begin(status, {}, 'none'),
  })),
  ...[501, 505].map((status) => ({
    why: `${status}, which is about what was asked for`,
    wants: ['succeeded'],
    script: ({ upstream }: Scene) => upstream().begin(status, {}, 'none'),
  })),
  {
    why: 'a reply of 503 that breaks off too: one failure',
    wants: ['failed: status 503'],
    script({ upstream }) {
      upstream().begin(503, {}, { length: 5 });
      upstream().fail();
    },
  },
  {
    why: 'the upstream goes before its reply',
    wants: ['failed: upstream_reset'],
    script: ({ upstream }) => upstream().fail(),
  },
  {
    why: 'the upstream goes in mid-reply',
    wants: ['failed: upstream_reset'],
    script({ upstream }) {
      upstream().begin(200, {}, { length: 5 });
      upstream().data('ab');
      upstream().fail();
    },
  },
  {
    why: 'an event stream is broken off: its head was its success',
    wants: ['succeeded'],
    script({ upstream }) {
      upstream().begin(200, { 'Content-Type': 'text/event-stream' }, 'chunked');
      upstream().fail();
    },
  },
  {
    why: 'the client goes while the upstream is silent',
    wants: ['abandoned'],
    script: ({ client }) => client.vanish(),
  },
  {
    why: 'the client goes in mid-reply',
    wants: ['abandoned'],
    script({ client, upstream }) {
      upstream().begin(200, {}, { length: 5 });
      client.vanish();
    },
  },
];

/** A scene in which every attempt is the probe. */
function recordedScene(middleware: readonly Middleware[] = []) {
  const recorder = new Recorder();
  return { scene: fakeScene({ breaker: recorder, allProbes: true, middleware }), recorder };
}

describe('the breaker gets as the outcome of an attempt', () => {
  for (const { why, wants, script } of OUTCOMES) {
    test(`${wants[0]}: ${why}`, async () => {
      const { scene, recorder } = recordedScene();
      scene.client.begin(...GET);
      await script(scene);
      assert.deepEqual(recorder.heard, wants);
      scene.client.vanish();
      assert.deepEqual([recorder.heard, scene.faults], [wants, []]);
    });
  }

  test('failed: the deadline passes while the upstream is silent', async () => {
    const { scene, recorder } = recordedScene();
    scene.client.begin('GET', '/deadline/it', {}, 'none');
    await scene.passMs(DEADLINE_MS + 200);
    assert.deepEqual(recorder.heard, ['failed: deadline_exceeded']);
  });

  for (const { why, hookMs, uploadMs, counts } of [
    { why: 'a hook took a tenth of it', hookMs: 100, uploadMs: 0, counts: true },
    { why: 'a hook and the upload took a fifth of it', hookMs: 100, uploadMs: 100, counts: true },
    { why: 'a hook took the most of it', hookMs: 950, uploadMs: 0, counts: false },
    { why: 'a hook took a third of it', hookMs: 350, uploadMs: 0, counts: false },
    { why: 'the upload took a third of it', hookMs: 0, uploadMs: 350, counts: false },
    { why: 'a hook and the upload took a third of it', hookMs: 150, uploadMs: 200, counts: false },
  ]) {
    test(`${counts ? 'failed' : 'abandoned'}: the deadline passes while the upstream is silent, and ${why}`, async () => {
      const waited = Promise.withResolvers<undefined>();
      const middleware: Middleware = { name: 'slow', stage: 'custom', onRequest: () => waited.promise };
      const { scene, recorder } = recordedScene([middleware]);
      scene.client.begin('POST', '/deadline/it', {}, { length: 5 });
      await scene.passMs(hookMs);
      waited.resolve(undefined);
      await waited.promise;
      await settle();
      await scene.passMs(uploadMs);
      scene.client.data('whole');
      scene.client.end();
      await scene.passMs(DEADLINE_MS + 200);
      assert.deepEqual(scene.log.endings, ['deadline_exceeded']);
      assert.deepEqual(recorder.heard, [counts ? 'failed: deadline_exceeded' : 'abandoned']);
    });
  }

  test('abandoned: the deadline passes while the upstream takes no more of the body, which is not its client’s fault', async () => {
    const { scene, recorder } = recordedScene();
    scene.client.begin('POST', '/deadline/it', {}, { length: 9 });
    scene.upstream().stopTaking();
    scene.client.data('half');
    assert.ok(scene.client.heldBack);
    await scene.passMs(DEADLINE_MS + 200);
    assert.deepEqual([recorder.heard, scene.log.endings], [['abandoned'], ['deadline_exceeded']]);
  });

  test('abandoned: the deadline passes in mid-reply, which a slow client may have caused', async () => {
    const { scene, recorder } = recordedScene();
    scene.client.begin('GET', '/deadline/it', {}, 'none');
    scene.upstream().begin(200, {}, { length: 5 });
    await scene.passMs(DEADLINE_MS + 200);
    assert.deepEqual(recorder.heard, ['abandoned']);
  });

  test('abandoned: the deadline passes while the client still sends', async () => {
    const { scene, recorder } = recordedScene();
    scene.client.begin('POST', '/deadline/it', {}, { length: 5 });
    await scene.passMs(DEADLINE_MS + 200);
    assert.deepEqual([recorder.heard, scene.log.endings], [['abandoned'], ['request_timeout']]);
  });

  test('abandoned: the body is too large', () => {
    const { scene, recorder } = recordedScene();
    scene.client.begin('POST', '/to/it', {}, 'chunked');
    scene.client.data('x'.repeat(150_000));
    scene.client.data('x'.repeat(150_000));
    assert.deepEqual([recorder.heard, scene.log.endings], [['abandoned'], ['body_too_large']]);
  });

  test('nothing of a pooled connection that died and was replaced by a fresh one', () => {
    const { scene, recorder } = recordedScene();
    scene.client.begin(...GET);
    scene.upstream().begin(200, {}, 'none');
    scene.client.begin(...GET);
    scene.upstream().fail();
    assert.deepEqual(recorder.heard, ['succeeded']);
    scene.upstream().begin(200, {}, 'none');
    assert.deepEqual([recorder.heard, scene.upstreamRequests()], [['succeeded', 'succeeded'], 3]);
    assert.deepEqual(recorder.claims, [1, 2], 'the fresh one goes on with the claim of the first');
  });

  test('exactly one thing, in whatever order things happen', async () => {
    const event = fc.constantFrom('data', 'end', 'interim', 'ok', 'stream', 'error', 'reply', 'last', 'fail', 'late');
    const request = fc.record({
      path: fc.constantFrom('/to/it', '/deadline/it'),
      body: fc.constantFrom('none' as const, 'chunked' as const),
      method: fc.constantFrom('GET', 'POST'),
      events: fc.array(event, { maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), fc.boolean(), async (requests, reuses) => {
        const recorder = new Recorder();
        const scene = fakeScene({ breaker: recorder, allProbes: true, reusesExchanges: reuses });
        for (const [at, { path, body, method, events }] of requests.entries()) {
          if (scene.log.endings.length < at) break;
          scene.client.begin(method, path, {}, body);
          for (const name of events) await happen(scene, name, at);
        }
        scene.client.vanish();
        assert.deepEqual(scene.faults, []);
        assert.equal(scene.log.endings.length, scene.log.taken);
        assert.equal(recorder.heard.length, scene.log.taken, `${recorder.heard}`);
      }),
      { numRuns: 2000 },
    );
  });
});

const replying = new WeakSet<object>();

/** Lets something happen, if it can happen now. */
async function happen(scene: Scene, name: string, before: number): Promise<void> {
  if (scene.log.endings.length > before) return;
  const { client } = scene;
  const upstream = scene.upstream();
  const begin = (status: number, type: string) => {
    if (replying.has(upstream)) return;
    replying.add(upstream);
    upstream.begin(status, { 'Content-Type': type }, 'chunked');
  };
  if (name === 'data' && !upstream.request.complete) client.data('x');
  if (name === 'end' && !upstream.request.complete) client.end();
  if (name === 'interim' && !replying.has(upstream)) upstream.interim(103, {});
  if (name === 'ok') begin(200, 'text/plain');
  if (name === 'stream') begin(200, 'text/event-stream');
  if (name === 'error') begin(503, 'text/plain');
  if (name === 'reply' && replying.has(upstream)) upstream.data('x');
  if (name === 'last' && replying.has(upstream)) upstream.end();
  if (name === 'fail') upstream.fail();
  if (name === 'late') await scene.passMs(DEADLINE_MS + 200);
}
