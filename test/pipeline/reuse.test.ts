import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeScene } from '../contract/fake-streams.ts';
import { h1Scene } from '../contract/h1-streams.ts';
import { DEADLINE_MS, type Scene } from '../contract/scene.ts';

type Step = (scene: Scene) => Promise<void>;

async function answered({ upstream, settle }: Scene, status: number, body: string): Promise<void> {
  await settle();
  upstream().begin(status, {}, { length: body.length });
  upstream().data(body);
  upstream().end();
  await settle();
}

/** Requests of every kind, none of which ends its connection. */
const STEPS: readonly Step[] = [
  async (scene) => {
    scene.client.begin('GET', '/to/plain', { 'X-A': '1', Cookie: 'a=b' }, 'none');
    await answered(scene, 200, 'plain');
  },
  async (scene) => {
    scene.client.begin(
      'PUT',
      'http://other.example/to/upload?x',
      { Expect: '100-continue', Connection: 'x-b', 'X-B': '2' },
      'chunked',
    );
    await scene.settle();
    scene.upstream().interim(100, {});
    scene.client.data('content');
    scene.client.end({ 'X-Sum': '1' });
    await answered(scene, 201, 'created');
  },
  async ({ client, settle }) => {
    client.begin('HEAD', '/missing', {}, 'none');
    await settle();
  },
  async ({ client, settle }) => {
    client.begin('PUT', '/only-get', {}, 'none');
    await settle();
  },
  async ({ client, settle }) => {
    client.begin('OPTIONS', '*', {}, 'none');
    await settle();
  },
  async (scene) => {
    scene.client.begin('PUT', '/to/again', {}, { length: 4 });
    scene.client.data('once');
    scene.client.end();
    await scene.settle();
    scene.upstream().fail();
    await answered(scene, 200, 'again');
  },
  async ({ client, upstream, settle, passMs }) => {
    client.begin('GET', '/deadline/missed', {}, 'none');
    await settle();
    await passMs(DEADLINE_MS + 200);
    assert.ok(upstream().cancelled);
  },
  async ({ client, upstream, settle }) => {
    client.begin('GET', '/to/failed', {}, 'none');
    await settle();
    upstream().interim(103, {});
    upstream().fail();
    await settle();
  },
  async (scene) => {
    scene.client.begin('POST', '/to/large', {}, { length: 20_000 });
    for (let part = 0; part < 4; part++) scene.client.data('x'.repeat(5000));
    scene.client.end();
    await answered(scene, 204, '');
  },
];

/** Every ordered pair of kinds stands beside each other somewhere in here. */
function everyPair(): readonly Step[] {
  return STEPS.flatMap((first) => STEPS.flatMap((second) => [first, second]));
}

/** What both ends see of all steps, one after the other. */
async function seen(scene: Scene): Promise<unknown> {
  const upstreamSaw: unknown[] = [];
  for (const step of everyPair()) {
    const before = scene.upstreamRequests();
    await step(scene);
    if (scene.upstreamRequests() > before) upstreamSaw.push(withoutId(scene.upstream().request));
  }
  assert.deepEqual(scene.faults, []);
  return { upstreamSaw, clientSaw: scene.client.replies.map(withoutId), endings: scene.log.endings };
}

/** The ids are random, and some bodies have them inside. */
const withoutId = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(/[0-9a-f]{24}/g, 'the-id'));

for (const [protocol, createScene] of [
  ['a protocol of objects', fakeScene],
  ['HTTP/1.1', h1Scene],
] as const) {
  test(`an exchange that is used again is as good as new, whatever came before: over ${protocol}`, async () => {
    assert.deepEqual(await seen(createScene({ reusesExchanges: true })), await seen(createScene()));
  });
}
