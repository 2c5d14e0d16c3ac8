import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fakeScene } from '../contract/fake-streams.ts';

/** A scene whose replies wait until `letGo`. */
function sceneThatWaits() {
  const ready = Promise.withResolvers<void>();
  let shown = 0;
  const onResponse = () => {
    shown++;
    return ready.promise;
  };
  const scene = fakeScene({ middleware: [{ name: 'slow', stage: 'custom', onResponse }] });
  const get = async () => {
    scene.client.begin('GET', '/again/a', {}, 'none');
    await scene.settle();
    return scene.upstream();
  };
  const letGo = async () => {
    ready.resolve();
    await scene.settle();
  };
  return { ...scene, get, letGo, shown: () => shown };
}

describe('a reply that waits for a middleware', () => {
  test('keeps its upstream from sending more, and goes out whole', async () => {
    const { client, get, letGo } = sceneThatWaits();
    const upstream = await get();
    upstream.begin(200, {}, 'chunked');
    assert.equal(upstream.heldBack, true);
    upstream.data('one, ');
    upstream.data('two');
    assert.equal(client.replies[0]?.status, 0);
    await letGo();
    assert.deepEqual([client.replies[0]?.body, upstream.heldBack], ['one, two', false]);
    upstream.data(', three');
    upstream.end({ 'X-End': 'yes' });
    assert.deepEqual([client.replies[0]?.body, client.replies[0]?.ending], ['one, two, three', 'complete']);
  });

  test('that is whole by then goes out with all that came', async () => {
    const { client, get, letGo } = sceneThatWaits();
    const upstream = await get();
    upstream.begin(200, {}, 'chunked');
    upstream.data('one');
    upstream.end({ 'X-End': 'yes' });
    assert.equal(client.replies[0]?.status, 0);
    await letGo();
    const { body, trailers, ending } = client.replies[0] ?? assert.fail();
    assert.deepEqual([body, trailers, ending], ['one', { 'x-end': 'yes' }, 'complete']);
  });

  test('keeps it held back though the client takes what was sent before', async () => {
    const { client, get, letGo } = sceneThatWaits();
    client.stopTaking();
    const upstream = await get();
    upstream.interim(103, {});
    upstream.begin(200, {}, 'chunked');
    client.takeAll();
    assert.equal(upstream.heldBack, true);
    await letGo();
    assert.equal(upstream.heldBack, false);
    upstream.end();
  });

  test('leaves the upstream held back for a client that does not keep up', async () => {
    const { client, get, letGo } = sceneThatWaits();
    client.stopTaking();
    const upstream = await get();
    upstream.begin(200, {}, 'chunked');
    upstream.data('one');
    await letGo();
    assert.deepEqual([client.replies[0]?.body, upstream.heldBack], ['one', true]);
    client.takeAll();
    assert.equal(upstream.heldBack, false);
    upstream.end();
  });

  test('is not tried again when it breaks off: its middleware has seen it', async () => {
    const { client, get, upstreamRequests, letGo, shown } = sceneThatWaits();
    const upstream = await get();
    upstream.begin(200, {}, 'chunked');
    upstream.fail();
    assert.deepEqual([upstreamRequests(), client.replies[0]?.status, shown()], [1, 502, 1]);
    await letGo();
    assert.equal(client.replies[0]?.ending, 'complete');
  });
});
