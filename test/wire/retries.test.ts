import assert from 'node:assert/strict';
import { settle } from '../support/guard.ts';
import { ok, type UpstreamConnection } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const POST = 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd';
/** Without retries of the route: what is tried again here does not count as one. */
const uncounted = { routes: [{ retries: 0 }] };

/** One exchange that leaves an idle connection in the pool. */
async function pooledConnection({ client, upstream }: WireContext): Promise<UpstreamConnection> {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send(ok('first'));
  await client.expectReply({ status: 200, body: 'first' });
  return connection;
}

for (const ending of ['end', 'reset'] as const) {
  wire(
    `an idle upstream connection that the upstream ends is not used any more (${ending})`,
    uncounted,
    async (context) => {
      const { client, upstream } = context;
      const dead = await pooledConnection(context);
      dead[ending]();
      await dead.expectClosedAfter();
      await settle();
      upstream.answerAll(() => ok('second'));
      await client.send(POST);
      await client.expectReply({ status: 200, body: 'second' });
      upstream.expectConnections(2);
    },
  );

  for (const { name, request } of [
    { name: 'a GET', request: GET },
    { name: 'a PUT with a small body', request: POST.replace('POST', 'PUT') },
  ]) {
    wire(
      `${name} on a pooled connection that dies before the reply is sent again on a fresh one (${ending})`,
      uncounted,
      async (context) => {
        const { client, upstream, clock } = context;
        const dead = await pooledConnection(context);
        await client.send(request);
        const first = await dead.expectRequest();
        dead[ending]();
        const fresh = await clock.advanceUntil(upstream.accept());
        const second = await fresh.expectRequest();
        assert.deepEqual([second.method, second.target, second.body], [first.method, first.target, first.body]);
        assert.equal(second.fields.get('x-request-id'), first.fields.get('x-request-id'));
        await fresh.send(ok('second'));
        await client.expectReply({ status: 200, body: 'second' });
        upstream.expectConnections(2);
      },
    );
  }

  for (const { name, request } of [
    { name: 'a POST', request: POST },
    { name: 'a POST without a body', request: POST.replace('4\r\n\r\nabcd', '0\r\n\r\n') },
  ]) {
    wire(
      `${name} on a pooled connection that dies before the reply is 502: it may have taken effect (${ending})`,
      uncounted,
      async (context) => {
        const { client, upstream, clock } = context;
        const dead = await pooledConnection(context);
        await client.send(request);
        await dead.expectRequest();
        dead[ending]();
        await clock.advanceUntil(client.expectStatus(502));
        upstream.expectConnections(1);
      },
    );
  }

  wire(`a request is sent again on a fresh connection only once (${ending})`, uncounted, async (context) => {
    const { client, upstream, clock } = context;
    const dead = await pooledConnection(context);
    await client.send(GET);
    await dead.expectRequest();
    dead[ending]();
    const fresh = await clock.advanceUntil(upstream.accept());
    await fresh.expectRequest();
    fresh[ending]();
    await clock.advanceUntil(client.expectStatus(502));
    upstream.expectConnections(2);
  });

  wire(`a request is not sent again when a part of the reply has come (${ending})`, uncounted, async (context) => {
    const { client, upstream, clock } = context;
    const dead = await pooledConnection(context);
    await client.send(GET);
    await dead.expectRequest();
    await dead.send('HTTP/1.1 200 OK\r\nContent-Le');
    dead[ending]();
    await clock.advanceUntil(client.expectStatus(502));
    upstream.expectConnections(1);
  });
}

wire(
  'a connection whose reset has been noticed is not acquired any more, in that very turn of the loop',
  uncounted,
  async (context) => {
    const { client, upstream } = context;
    const dead = await pooledConnection(context);
    // Both arrive in one turn, the reset first. A POST shows which connection was taken: it is not sent twice.
    dead.reset();
    await client.send(POST);
    upstream.answerAll(() => ok('second'));
    await client.expectReply({ status: 200, body: 'second' });
  },
);

wire('many idle connections that all died cost one fresh one each, not an error', uncounted, async (context) => {
  const { client, upstream } = context;
  const clients = [client, ...(await Promise.all(Array.from({ length: 4 }, () => client.connect())))];
  await Promise.all(clients.map((each) => each.send(GET)));
  const connections = await Promise.all(clients.map(() => upstream.accept()));
  for (const each of connections) {
    await each.expectRequest();
    await each.send(ok('first'));
  }
  for (const each of clients) await each.expectReply({ body: 'first' });
  for (const each of connections) each.end();
  for (const each of connections) await each.expectClosed();
  upstream.answerAll(() => ok('second'));
  for (const each of clients) {
    await each.send(POST);
    await each.expectReply({ status: 200, body: 'second' });
  }
});

wire('a long body that has been passed on already is not sent again', uncounted, async (context) => {
  const { client, upstream, clock } = context;
  const dead = await pooledConnection(context);
  const size = 4 * 1024 * 1024;
  await client.send(`PUT /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${size}\r\n\r\n`);
  await dead.expectHead();
  const sending = client.sendUntilStalled(Buffer.alloc(65_536), size);
  await dead.inbox.take(2 * 1024 * 1024, 'half of the body');
  dead.reset();
  await clock.advanceUntil(client.expectStatus(502));
  await sending;
  upstream.expectConnections(1);
});
