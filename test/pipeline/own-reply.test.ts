import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Middleware } from '../../src/pipeline/middleware.ts';
import { fakeScene } from '../contract/fake-streams.ts';
import { DEADLINE_MS } from '../contract/scene.ts';

const PIECE_BYTES = 64 * 1024;
const BODY = 'some text, '.repeat(20_000);

/** A scene whose client takes nothing, and has asked for an answer of `body`. */
async function askedFor(body: string, target = '/to/a', method = 'GET') {
  const respond: Middleware = {
    name: 'large',
    stage: 'respond',
    onRequest: () => ({ status: 200, fields: [['Content-Type', 'text/plain']], body }),
  };
  const scene = fakeScene({ middleware: [respond] });
  scene.client.begin('GET', '/to/first', {}, 'none');
  await scene.settle();
  scene.client.stopTaking();
  scene.client.begin(method, target, {}, 'none');
  await scene.settle();
  return { ...scene, reply: () => scene.client.replies[1] ?? assert.fail('no reply') };
}

describe('a reply of the gateway', () => {
  test('that is large goes out as its client takes it', async () => {
    const { client, reply, settle } = await askedFor(BODY);
    assert.deepEqual([reply().body.length, reply().ending], [PIECE_BYTES, 'open']);
    assert.equal(reply().fields['content-length'], String(BODY.length));
    client.takeAll();
    await settle();
    assert.deepEqual([reply().body === BODY, reply().ending], [true, 'complete']);
  });

  test('that is small goes out in one piece, whether or not its client keeps up', async () => {
    const { reply } = await askedFor('a few words');
    assert.deepEqual([reply().body, reply().ending], ['a few words', 'complete']);
  });

  test('to HEAD has the length and no body', async () => {
    const { reply } = await askedFor(BODY, '/to/a', 'HEAD');
    assert.deepEqual([reply().body, reply().ending], ['', 'complete']);
    assert.equal(reply().fields['content-length'], String(BODY.length));
  });

  test('is over when its client leaves in the middle of it', async () => {
    const { client, log, faults } = await askedFor(BODY);
    client.vanish();
    assert.deepEqual([log.endings.at(-1), faults], ['client_closed', []]);
  });

  test('is cut when the deadline of its route passes in the middle of it', async () => {
    const { reply, passMs, log } = await askedFor(BODY, '/deadline/a');
    await passMs(DEADLINE_MS + 500);
    assert.deepEqual([reply().ending, log.endings.at(-1)], ['cut', 'deadline_exceeded']);
  });
});
