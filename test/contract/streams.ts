import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BodyKind, DEADLINE_MS, type Lines, MAX_BODY_BYTES, type Scene } from './scene.ts';

const LARGE = 'x'.repeat(100_000);

/** A request that must not be sent a second time. */
interface NotAgain {
  readonly title: string;
  readonly method: string;
  readonly body: BodyKind;
  readonly piece: string;
  readonly trailers?: Lines;
  readonly interim?: boolean;
}

/** Lets go of both ends and checks that every exchange has been finished, once, and nothing went wrong inside. */
async function run(createScene: () => Scene, script: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = createScene();
  await script(scene);
  await scene.settle();
  assert.deepEqual(scene.faults, []);
  scene.client.vanish();
  await scene.settle();
  assert.deepEqual(scene.faults, []);
  assert.equal(scene.log.endings.length, scene.log.taken, 'every exchange is finished once');
}

/**
 * What the two sides of an exchange and the pipeline between them say to each other (`net/streams.ts`), whatever the protocol.
 * Exchanges are used once here: who talks to one that is over is caught.
 */
export function streamsContract(protocol: string, createScene: () => Scene): void {
  const on = (name: string, script: (scene: Scene) => Promise<void>) => test(name, () => run(createScene, script));

  describe(`an exchange over ${protocol}`, () => {
    on(
      'passes a request and its reply, and is finished without an error',
      async ({ client, upstream, log, settle }) => {
        client.begin('GET', '/to/it?a=b', { Accept: 'text/plain', 'X-Other': '1' }, 'none');
        await settle();
        const { request } = upstream();
        assert.deepEqual([request.method, request.target, request.complete], ['GET', '/to/it?a=b', true]);
        assert.deepEqual([request.fields['accept'], request.fields['x-other']], ['text/plain', '1']);
        assert.equal(request.fields['host'], 'host.example');
        assert.equal(request.fields['x-forwarded-for'], '192.0.2.7');
        assert.equal(request.fields['x-forwarded-port'], '8080');
        upstream().begin(201, { 'Content-Type': 'text/plain' }, { length: 11 });
        assert.deepEqual(log.endings, []);
        upstream().data('hello ');
        upstream().data('world');
        upstream().end();
        await settle();
        const [reply] = client.replies;
        assert.deepEqual([reply?.status, reply?.body, reply?.ending], [201, 'hello world', 'complete']);
        assert.equal(reply?.fields['content-type'], 'text/plain');
        assert.equal(reply?.fields['x-request-id'], request.fields['x-request-id']);
        assert.deepEqual(log.endings, [null]);
      },
    );

    for (const body of ['chunked', { length: 15 }] as const) {
      const kind = body === 'chunked' ? 'of unknown length' : 'with a length';
      on(`passes a request body ${kind} in its order, piece by piece`, async ({ client, upstream, log, settle }) => {
        client.begin('POST', '/to/it', {}, body);
        await settle();
        for (const piece of ['first', 'secon', 'third']) {
          client.data(piece);
          await settle();
          assert.ok(upstream().request.body.endsWith(piece), 'a piece waits');
        }
        client.end();
        await settle();
        assert.deepEqual([upstream().request.body, upstream().request.complete], ['firstseconthird', true]);
        upstream().begin(204, {}, 'none');
        await settle();
        assert.deepEqual([client.replies[0]?.status, client.replies[0]?.ending], [204, 'complete']);
        assert.deepEqual(log.endings, [null]);
      });
    }

    on('passes trailers both ways, but for those of one hop', async ({ client, upstream, log, settle }) => {
      client.begin('POST', '/to/it', { Trailer: 'X-Sum' }, 'chunked');
      client.data('a');
      client.end({ 'X-Sum': '1', 'Keep-Alive': 'x', 'X-Forwarded-For': '1.2.3.4' });
      await settle();
      assert.deepEqual(upstream().request.trailers, { 'x-sum': '1' });
      assert.ok(upstream().request.complete);
      upstream().begin(200, {}, 'chunked');
      upstream().data('b');
      upstream().end({ 'X-Time': '2', 'Proxy-Authenticate': 'x' });
      await settle();
      assert.deepEqual([client.replies[0]?.body, client.replies[0]?.trailers], ['b', { 'x-time': '2' }]);
      assert.deepEqual(log.endings, [null]);
    });

    on('passes interim replies, and then the final one', async ({ client, upstream, log, settle }) => {
      client.begin('POST', '/to/it', { Expect: '100-continue' }, { length: 2 });
      await settle();
      upstream().interim(100, {});
      upstream().interim(103, { Link: '</a>' });
      await settle();
      assert.deepEqual([client.replies[0]?.interim, client.replies[0]?.status], [[100, 103], 0]);
      client.data('hi');
      client.end();
      await settle();
      upstream().begin(200, {}, { length: 2 });
      upstream().data('ok');
      upstream().end();
      await settle();
      assert.deepEqual([client.replies[0]?.status, client.replies[0]?.body], [200, 'ok']);
      assert.deepEqual(log.endings, [null]);
    });

    on('has no body in the reply to HEAD', async ({ client, upstream, log, settle }) => {
      client.begin('HEAD', '/to/it', {}, 'none');
      await settle();
      upstream().begin(200, { 'X-A': '1' }, 'none');
      await settle();
      client.begin('HEAD', '/missing', {}, 'none');
      await settle();
      const [passed, made] = client.replies;
      assert.deepEqual([passed?.status, passed?.body, passed?.ending], [200, '', 'complete']);
      assert.deepEqual([made?.status, made?.body, made?.ending], [404, '', 'complete']);
      assert.ok(Number(made?.fields['content-length']) > 50, 'the length that GET would give');
      assert.deepEqual(log.endings, [null, 'not_found']);
    });

    on(
      'follows another on the same connection, with nothing left of the first',
      async ({ client, upstream, log, settle }) => {
        for (const turn of ['1', '2', '3']) {
          client.begin('PUT', `/to/${turn}`, { [`X-${turn}`]: turn }, { length: 1 });
          client.data(turn);
          client.end();
          await settle();
          const { request } = upstream();
          assert.deepEqual([request.target, request.body, request.complete], [`/to/${turn}`, turn, true]);
          assert.deepEqual(
            Object.keys(request.fields).filter((name) => /^x-\d$/.test(name)),
            [`x-${turn}`],
          );
          upstream().begin(200, {}, 'chunked');
          upstream().data(`reply ${turn}`);
          upstream().end();
          await settle();
        }
        assert.deepEqual(
          client.replies.map(({ body, ending }) => [body, ending]),
          [
            ['reply 1', 'complete'],
            ['reply 2', 'complete'],
            ['reply 3', 'complete'],
          ],
        );
        assert.deepEqual(log.endings, [null, null, null]);
        assert.equal(new Set(client.replies.map(({ fields }) => fields['x-request-id'])).size, 3);
      },
    );
  });

  describe(`an exchange over ${protocol} is answered by the gateway`, () => {
    for (const { title, method, target, status, ending, fields } of [
      { title: 'without a route', method: 'GET', target: '/missing', status: 404, ending: 'not_found', fields: {} },
      { title: 'for OPTIONS *', method: 'OPTIONS', target: '*', status: 204, ending: null, fields: {} },
      {
        title: 'under another method',
        method: 'PUT',
        target: '/only-get',
        status: 405,
        ending: 'method_not_allowed',
        fields: { allow: 'GET, HEAD' },
      },
      { title: 'for TRACE', method: 'TRACE', target: '/to/it', status: 405, ending: 'method_refused', fields: {} },
      { title: 'for a bad target', method: 'GET', target: '/to/%00', status: 400, ending: 'bad_target', fields: {} },
    ]) {
      on(`${title}: ${status}`, async ({ client, log, settle, upstreamRequests }) => {
        client.begin(method, target, {}, 'none');
        await settle();
        const [reply] = client.replies;
        assert.deepEqual([reply?.status, reply?.ending], [status, 'complete']);
        for (const [name, value] of Object.entries(fields)) assert.equal(reply?.fields[name], value);
        assert.match(reply?.fields['x-request-id'] ?? '', /^[0-9a-f]{24}$/);
        assert.deepEqual(log.endings, [ending]);
        assert.equal(upstreamRequests(), 0);
      });
    }

    for (const { code, status } of [
      { code: 'ambiguous_framing', status: 400 },
      { code: 'version_not_supported', status: 505 },
    ] as const) {
      on(`when its request cannot be read: ${status}`, async ({ client, log, settle, upstreamRequests }) => {
        client.beginBadly(code);
        await settle();
        assert.deepEqual([client.replies[0]?.status, client.replies[0]?.ending], [status, 'complete']);
        assert.deepEqual(log.endings, [code]);
        assert.equal(upstreamRequests(), 0);
      });
    }

    on('before its body has come, which then goes nowhere', async ({ client, log, settle, upstreamRequests }) => {
      client.begin('POST', '/missing', {}, 'chunked');
      client.data('more');
      client.end({ 'X-Late': '1' });
      await settle();
      assert.equal(client.replies[0]?.status, 404);
      assert.deepEqual(log.endings, ['not_found']);
      assert.equal(upstreamRequests(), 0);
    });

    on(
      'when its announced body is too large, and nothing goes upstream',
      async ({ client, log, settle, upstreamRequests }) => {
        client.begin('POST', '/to/it', {}, { length: MAX_BODY_BYTES + 1 });
        await settle();
        assert.equal(client.replies[0]?.status, 413);
        assert.deepEqual(log.endings, ['body_too_large']);
        assert.equal(upstreamRequests(), 0);
      },
    );

    on(
      'when its body turns out too large, and the upstream’s work is cancelled',
      async ({ client, upstream, log, settle }) => {
        client.begin('POST', '/to/it', {}, 'chunked');
        await settle();
        client.data(LARGE);
        client.data(LARGE);
        await settle();
        assert.deepEqual(log.endings, []);
        client.data('x');
        client.data(LARGE);
        client.end();
        await settle();
        assert.equal(client.replies[0]?.status, 413);
        assert.ok(upstream().cancelled);
        assert.ok(!upstream().request.complete);
        assert.deepEqual(log.endings, ['body_too_large']);
      },
    );
  });

  describe(`an exchange over ${protocol} whose upstream fails`, () => {
    on('before its reply is answered with 502', async ({ client, upstream, log, settle, upstreamRequests }) => {
      client.begin('GET', '/to/it', {}, 'none');
      await settle();
      upstream().fail();
      await settle();
      assert.deepEqual([client.replies[0]?.status, client.replies[0]?.ending], [502, 'complete']);
      assert.deepEqual(log.endings, ['upstream_reset']);
      assert.equal(upstreamRequests(), 1);
    });

    on('after an interim reply is answered with 502', async ({ client, upstream, log, settle }) => {
      client.begin('GET', '/to/it', {}, 'none');
      await settle();
      upstream().interim(103, {});
      upstream().fail();
      await settle();
      assert.deepEqual([client.replies[0]?.interim, client.replies[0]?.status], [[103], 502]);
      assert.deepEqual(log.endings, ['upstream_reset']);
    });

    on('in the request body is answered with 502', async ({ client, upstream, log, settle }) => {
      client.begin('POST', '/to/it', {}, { length: 10 });
      await settle();
      client.data('hello');
      upstream().fail();
      await settle();
      client.data('world');
      client.end();
      await settle();
      assert.equal(client.replies[0]?.status, 502);
      assert.deepEqual(log.endings, ['upstream_reset']);
    });

    for (const body of ['chunked', { length: 10 }] as const) {
      on(
        `within its reply ${body === 'chunked' ? 'in chunks' : 'with a length'} is cut`,
        async ({ client, upstream, log, settle }) => {
          client.begin('GET', '/to/it', {}, 'none');
          await settle();
          upstream().begin(200, {}, body);
          upstream().data('hello');
          await settle();
          upstream().fail();
          await settle();
          const [reply] = client.replies;
          assert.deepEqual([reply?.status, reply?.body, reply?.ending], [200, 'hello', 'cut']);
          assert.deepEqual(log.endings, ['upstream_reset']);
        },
      );
    }

    /** Makes an upstream connection that has been used before. */
    async function useOnce({ client, upstream, settle }: Scene): Promise<void> {
      client.begin('GET', '/to/first', {}, 'none');
      await settle();
      upstream().begin(204, {}, 'none');
      await settle();
    }

    on('on a used connection without a byte of a reply is sent again on a fresh one, its body too', async (scene) => {
      const { client, upstream, log, settle } = scene;
      await useOnce(scene);
      client.begin('PUT', '/to/second', { 'X-A': '1' }, 'chunked');
      client.data('hello');
      await settle();
      const first = upstream();
      first.fail();
      await settle();
      client.data(' world');
      client.end();
      await settle();
      assert.notEqual(upstream(), first);
      const { target, body, complete, fields } = upstream().request;
      assert.deepEqual([target, body, complete, fields['x-a']], ['/to/second', 'hello world', true, '1']);
      assert.deepEqual(log.endings, [null]);
      upstream().begin(200, {}, { length: 2 });
      upstream().data('ok');
      upstream().end();
      await settle();
      assert.deepEqual([client.replies[1]?.status, client.replies[1]?.body], [200, 'ok']);
      assert.deepEqual(log.endings, [null, null]);
    });

    on('on a used connection is sent again once only', async (scene) => {
      const { client, upstream, upstreamRequests, log, settle } = scene;
      await useOnce(scene);
      client.begin('GET', '/to/second', {}, 'none');
      await settle();
      upstream().fail();
      await settle();
      assert.equal(upstreamRequests(), 3);
      upstream().fail();
      await settle();
      assert.equal(upstreamRequests(), 3);
      assert.equal(client.replies[1]?.status, 502);
      assert.deepEqual(log.endings, [null, 'upstream_reset']);
    });

    on('on a used connection after its request was complete is sent again whole', async (scene) => {
      const { client, upstream, log, settle } = scene;
      await useOnce(scene);
      client.begin('PUT', '/to/second', {}, { length: 5 });
      client.data('hello');
      client.end();
      await settle();
      upstream().fail();
      await settle();
      assert.deepEqual([upstream().request.body, upstream().request.complete], ['hello', true]);
      upstream().begin(204, {}, 'none');
      await settle();
      assert.deepEqual([client.replies[1]?.status, log.endings], [204, [null, null]]);
    });

    for (const { title, method, body, piece, trailers, interim } of [
      { title: 'when its method is not idempotent', method: 'POST', body: 'chunked', piece: 'hello' },
      { title: 'when its method is not idempotent, body or not', method: 'PATCH', body: 'none', piece: '' },
      { title: 'when its body is too much to keep', method: 'PUT', body: 'chunked', piece: 'x'.repeat(20_000) },
      { title: 'when it had trailers', method: 'PUT', body: 'chunked', piece: 'hello', trailers: { 'X-Sum': '1' } },
      { title: 'when something of a reply has come', method: 'PUT', body: 'chunked', piece: 'hello', interim: true },
    ] satisfies readonly NotAgain[] as readonly NotAgain[]) {
      on(`on a used connection is not sent again ${title}`, async (scene) => {
        const { client, upstream, upstreamRequests, log, settle } = scene;
        await useOnce(scene);
        client.begin(method, '/to/second', {}, body);
        if (body !== 'none') {
          client.data(piece);
          client.end(trailers);
        }
        await settle();
        if (interim === true) upstream().interim(103, {});
        upstream().fail();
        await settle();
        assert.equal(upstreamRequests(), 2);
        assert.equal(client.replies[1]?.status, 502);
        assert.deepEqual(log.endings, [null, 'upstream_reset']);
      });
    }
  });

  describe(`an exchange over ${protocol} whose client vanishes`, () => {
    for (const stage of ['before the reply', 'in the request body', 'in the reply body', 'while held back'] as const) {
      on(`${stage} is cancelled upstream and counted as the client’s`, async ({ client, upstream, log, settle }) => {
        const inBody = stage === 'in the request body' || stage === 'while held back';
        client.begin(inBody ? 'POST' : 'GET', '/to/it', {}, inBody ? 'chunked' : 'none');
        await settle();
        if (stage === 'while held back') upstream().stopTaking();
        if (inBody) client.data(LARGE);
        if (stage === 'in the reply body') {
          upstream().begin(200, {}, 'chunked');
          upstream().data('some');
        }
        await settle();
        const side = upstream();
        client.vanish();
        await settle();
        assert.ok(side.cancelled);
        assert.deepEqual(log.endings, ['client_closed']);
        side.data('late');
        side.end();
        side.fail();
        await settle();
        assert.deepEqual(log.endings, ['client_closed']);
      });
    }

    on('after its reply has been finished already', async ({ client, upstream, log, settle }) => {
      client.begin('GET', '/to/it', {}, 'none');
      await settle();
      upstream().begin(204, {}, 'none');
      await settle();
      client.vanish();
      await settle();
      assert.ok(!upstream().cancelled, 'the upstream connection can be used again');
      assert.deepEqual(log.endings, [null]);
    });
  });

  describe(`an exchange over ${protocol} with a deadline`, () => {
    on('that passes before the reply is answered with 504', async ({ client, upstream, log, settle, passMs }) => {
      client.begin('GET', '/deadline/x', {}, 'none');
      await settle();
      await passMs(DEADLINE_MS - 100);
      assert.deepEqual(log.endings, []);
      await passMs(300);
      await settle();
      assert.equal(client.replies[0]?.status, 504);
      assert.ok(upstream().cancelled);
      assert.deepEqual(log.endings, ['deadline_exceeded']);
    });

    on('that passes within the reply is cut', async ({ client, upstream, log, settle, passMs }) => {
      client.begin('GET', '/deadline/x', {}, 'none');
      await settle();
      upstream().begin(200, {}, 'chunked');
      upstream().data('a');
      await passMs(DEADLINE_MS + 200);
      await settle();
      assert.deepEqual([client.replies[0]?.status, client.replies[0]?.ending], [200, 'cut']);
      assert.ok(upstream().cancelled);
      assert.deepEqual(log.endings, ['deadline_exceeded']);
    });

    on('may stream events beyond it', async ({ client, upstream, log, settle, passMs }) => {
      client.begin('GET', '/deadline/x', {}, 'none');
      await settle();
      upstream().begin(200, { 'Content-Type': 'text/event-stream; charset=utf-8' }, 'chunked');
      await passMs(DEADLINE_MS * 3);
      upstream().data('data: 1');
      upstream().end();
      await settle();
      assert.deepEqual([client.replies[0]?.body, client.replies[0]?.ending], ['data: 1', 'complete']);
      assert.deepEqual(log.endings, [null]);
    });

    on('that is met leaves nothing that could run out later', async ({ client, upstream, log, settle, passMs }) => {
      client.begin('GET', '/deadline/x', {}, 'none');
      await settle();
      upstream().begin(204, {}, 'none');
      await settle();
      await passMs(DEADLINE_MS * 3);
      assert.deepEqual(log.endings, [null]);
      assert.equal(client.replies[0]?.ending, 'complete');
    });
  });

  describe(`an exchange over ${protocol} with a slow side`, () => {
    on('holds its client back while the upstream takes nothing', async ({ client, upstream, log, settle }) => {
      client.begin('POST', '/to/it', {}, 'chunked');
      await settle();
      upstream().stopTaking();
      client.data(LARGE);
      await settle();
      assert.ok(client.heldBack);
      upstream().takeAll();
      await settle();
      assert.ok(!client.heldBack);
      client.data('the rest');
      client.end();
      await settle();
      assert.equal(upstream().request.body, `${LARGE}the rest`);
      upstream().begin(204, {}, 'none');
      await settle();
      assert.deepEqual(log.endings, [null]);
    });

    on('holds its upstream back while the client takes nothing', async ({ client, upstream, log, settle }) => {
      client.begin('GET', '/to/it', {}, 'none');
      await settle();
      client.stopTaking();
      upstream().begin(200, {}, 'chunked');
      upstream().data(LARGE);
      await settle();
      assert.ok(upstream().heldBack);
      client.takeAll();
      await settle();
      assert.ok(!upstream().heldBack);
      upstream().data('the rest');
      upstream().end();
      await settle();
      assert.deepEqual([client.replies[0]?.body, client.replies[0]?.ending], [`${LARGE}the rest`, 'complete']);
      assert.deepEqual(log.endings, [null]);
    });

    on('is over for the upstream when its reply is complete, however slow the client is', async (scene) => {
      const { client, upstream, log, settle } = scene;
      client.begin('GET', '/to/it', {}, 'none');
      await settle();
      client.stopTaking();
      upstream().begin(200, {}, { length: LARGE.length });
      upstream().data(LARGE);
      upstream().end();
      await settle();
      assert.deepEqual(log.endings, [null]);
      client.takeAll();
      await settle();
      assert.equal(client.replies[0]?.ending, 'complete');
    });

    on('is over when its reply is complete before its request', async ({ client, upstream, log, settle }) => {
      client.begin('POST', '/to/it', {}, { length: 10 });
      await settle();
      client.data('hello');
      upstream().begin(403, {}, { length: 2 });
      upstream().data('no');
      upstream().end();
      await settle();
      assert.deepEqual([client.replies[0]?.status, client.replies[0]?.body], [403, 'no']);
      assert.deepEqual(log.endings, [null]);
      client.data('world');
      client.end();
      await settle();
      assert.deepEqual(log.endings, [null]);
    });
  });
}
