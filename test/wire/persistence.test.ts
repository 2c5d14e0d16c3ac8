import assert from 'node:assert/strict';
import { chunked } from '../support/message.ts';
import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const get = (path: string, ...lines: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['Host: a.example', ...lines].join('\r\n')}\r\n\r\n`;

wire('one client connection serves many requests, over one upstream connection', async ({ client, upstream }) => {
  upstream.answerAll(({ target }) => ok(target));
  for (let round = 0; round < 20; round++) {
    await client.send(get(`/${round}`));
    const { fields } = await client.expectReply({ status: 200, body: `/${round}` });
    assert.doesNotMatch(fields.get('connection') ?? '', /close/i);
  }
  upstream.expectConnections(1);
});

wire('clients that follow one another share one upstream connection', async ({ client, upstream }) => {
  upstream.answerAll(({ target }) => ok(target));
  for (let round = 0; round < 5; round++) {
    const each = await client.connect();
    await each.send(get(`/${round}`));
    await each.expectReply({ status: 200, body: `/${round}` });
  }
  upstream.expectConnections(1);
});

wire('clients at the same time each get an upstream connection and their own reply', async ({ client, upstream }) => {
  const others = await Promise.all(Array.from({ length: 9 }, () => client.connect()));
  const clients = [client, ...others];
  await Promise.all(clients.map((each, index) => each.send(get(`/${index}`))));
  const connections = await Promise.all(clients.map(() => upstream.accept()));
  const requests = await Promise.all(connections.map((each) => each.expectHead()));
  for (const [index, connection] of [...connections.entries()].reverse()) {
    await connection.send(ok(requests[index]?.target ?? ''));
  }
  for (const [index, each] of clients.entries()) await each.expectReply({ status: 200, body: `/${index}` });
});

wire('requests that come in one piece are answered in their order', async ({ client, upstream }) => {
  upstream.answerAll(({ target, body }) => ok(`${target} ${body}`));
  await client.send(
    [
      get('/1'),
      'POST /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd',
      `POST /3 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(['ef', 'gh'])}`,
      get('/4'),
    ].join(''),
  );
  for (const body of ['/1 ', '/2 abcd', '/3 efgh', '/4 ']) await client.expectReply({ status: 200, body });
  await client.expectSilence();
});

wire('a slow first answer holds back the answers to what was pipelined behind it', async ({ client, upstream }) => {
  await client.send(get('/slow') + get('/fast'));
  const connection = await upstream.accept();
  await connection.expectHead({ target: '/slow' });
  await client.expectSilence();
  await connection.send(ok('slow'));
  await client.expectReply({ body: 'slow' });
  await connection.expectHead({ target: '/fast' });
  await connection.send(ok('fast'));
  await client.expectReply({ body: 'fast' });
});

wire('a thousand pipelined requests are all answered, in their order', async ({ client, upstream }) => {
  upstream.answerAll(({ target }) => ok(target));
  const sending = client.send(Array.from({ length: 1000 }, (_none, index) => get(`/${index}`)).join(''));
  for (let index = 0; index < 1000; index++) await client.expectReply({ status: 200, body: `/${index}` });
  await sending;
});

wire(
  'pipelined requests for the gateway itself are answered in their order too',
  { routes: [{ path: '/here/**' }] },
  async ({ client, upstream }) => {
    upstream.answerAll(({ target }) => ok(target));
    await client.send(get('/here/1') + get('/nowhere') + get('/here/2') + get('/nowhere') + get('/here/3'));
    await client.expectReply({ status: 200, body: '/here/1' });
    await client.expectStatus(404);
    await client.expectReply({ status: 200, body: '/here/2' });
    await client.expectStatus(404);
    await client.expectReply({ status: 200, body: '/here/3' });
  },
);

wire(
  'a thousand pipelined requests that the gateway answers itself do not exhaust its stack',
  { routes: [{ path: '/here' }] },
  async ({ client }) => {
    const sending = client.send(get('/nowhere').repeat(20_000));
    for (let index = 0; index < 20_000; index++) {
      const { status } = await client.expectReplyHead().then(async (head) => {
        await client.inbox.take(Number(head.fields.get('content-length')), 'the body of a 404');
        return head;
      });
      assert.equal(status, 404);
    }
    await sending;
  },
);

wire(
  'what is pipelined behind a malformed request is not answered, what is before it is',
  async ({ client, upstream }) => {
    upstream.answerAll(({ target }) => ok(target));
    await client.send(`${get('/1')}${get('/2')}GET /3 HTTP/1.1\r\nHost : a\r\n\r\n${get('/4')}`);
    await client.expectReply({ status: 200, body: '/1' });
    await client.expectReply({ status: 200, body: '/2' });
    await client.expectStatus(400);
    await client.expectClosed();
  },
);

const GARBAGE = [
  { why: 'binary bytes', sent: '\x00\x01\xff\xfe\r\n\r\n', status: 400 },
  { why: 'a TLS hello', sent: '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', status: 400 },
  { why: 'a line of text', sent: 'hello?\r\n\r\n', status: 400 },
  { why: 'a request of HTTP/0.9', sent: 'GET /2\r\n\r\n', status: 400 },
  { why: 'a status line', sent: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', status: 400 },
  { why: 'the preface of HTTP/2', sent: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 505 },
  { why: 'two framings', sent: get('/2', 'Content-Length: 1', 'Transfer-Encoding: chunked'), status: 400 },
  { why: 'two hosts', sent: get('/2', 'Host: b.example'), status: 400 },
  { why: 'a target without an end', sent: `GET /${'t'.repeat(40_000)}`, status: 414 },
];

for (const { why, sent, status } of GARBAGE) {
  for (const cut of ['in one piece', 'in two']) {
    wire(
      `garbage behind a request: the request is answered, then ${status} and closed: ${why}, ${cut}`,
      async (context) => {
        const { client, upstream } = context;
        await client.send(cut === 'in two' ? get('/1') : `${get('/1')}${sent}${get('/3')}`);
        const connection = await upstream.accept();
        await connection.expectRequest({ target: '/1' });
        if (cut === 'in two') await client.send(`${sent}${get('/3')}`);
        await client.expectSilence();
        await connection.send(ok('one'));
        await client.expectReply({ status: 200, body: 'one' });
        await client.expectStatus(status);
        await client.expectClosed();
        await connection.expectSilence();
        upstream.expectConnections(1);
      },
    );
  }
}

wire('what is pipelined behind Connection: close is not looked at', async ({ client, upstream }) => {
  const seen: string[] = [];
  upstream.answerAll(({ target }) => {
    seen.push(target);
    return ok(target);
  });
  await client.send(get('/1', 'Connection: close') + get('/2'));
  await client.expectReply({ status: 200, body: '/1', headers: { connection: 'close' } });
  await client.expectClosed();
  assert.deepEqual(seen, ['/1']);
});

wire('a pipelined request that waits keeps its bytes while others use the gateway', async ({ client, upstream }) => {
  const secret = 's'.repeat(2000);
  await client.send(get('/first') + get('/waiting', `X-Secret: ${secret}`));
  const held = await upstream.accept();
  await held.expectHead({ target: '/first' });
  upstream.answerAll(({ fields }) => ok(fields.get('x-secret') ?? ''));
  const other = await client.connect();
  for (let round = 0; round < 50; round++) {
    await other.send(get(`/other/${round}`, `X-Secret: ${'o'.repeat(20_000)}`));
    await other.expectReply({ body: 'o'.repeat(20_000) });
  }
  await held.send(ok('first', 'Connection: close'));
  await client.expectReply({ body: 'first' });
  await client.expectReply({ body: secret });
});

wire('half a pipelined head keeps its bytes while others use the gateway', async ({ client, upstream }) => {
  upstream.answerAll(({ target, fields }) => ok(`${target} ${fields.get('x-a')}`));
  const head = get('/halved', 'X-A: halved');
  await client.send(get('/first', 'X-A: first') + head.slice(0, 40));
  await client.expectReply({ body: '/first first' });
  const other = await client.connect();
  for (let round = 0; round < 20; round++) {
    await other.send(get(`/other/${round}`, `X-A: ${'o'.repeat(20_000)}`));
    await other.expectStatus(200);
  }
  await client.send(head.slice(40));
  await client.expectReply({ body: '/halved halved' });
});

wire('empty lines before a request are passed over', async ({ client, upstream }) => {
  upstream.answerAll(({ target }) => ok(target));
  await client.send(`\r\n${get('/1')}`);
  await client.expectReply({ body: '/1' });
  await client.send(`\r\n${get('/2')}`);
  await client.expectReply({ body: '/2' });
});

wire('Connection: close of the client closes after the reply, with a FIN', async ({ client, upstream }) => {
  upstream.answerAll(() => ok('yes'));
  await client.send(get('/', 'Connection: close'));
  await client.expectReply({ status: 200, body: 'yes', headers: { connection: 'close' } });
  assert.equal(await client.expectClosed(), 'end');
});

wire('Connection is read as a list, whatever the case and on every line', async ({ client, upstream }) => {
  upstream.answerAll(() => ok('yes'));
  await client.send(get('/', 'Connection: x-a, CLOSE', 'Connection: x-b'));
  await client.expectReply({ status: 200, headers: { connection: 'close' } });
  await client.expectClosed();
});

wire('an HTTP/1.0 client is answered and its connection closed', async ({ client, upstream }) => {
  upstream.answerAll(() => ok('yes'));
  await client.send('GET / HTTP/1.0\r\n\r\n');
  const { version } = await client.expectReply({ status: 200, body: 'yes' });
  assert.match(version, /^HTTP\/1\.[01]$/);
  assert.equal(await client.expectClosed(), 'end');
});

wire('an HTTP/1.0 client that asks for keep-alive gets it', async ({ client, upstream }) => {
  upstream.answerAll(({ target }) => ok(target));
  for (let round = 0; round < 3; round++) {
    await client.send(`GET /${round} HTTP/1.0\r\nHost: a.example\r\nConnection: Keep-Alive\r\n\r\n`);
    await client.expectReply({ status: 200, body: `/${round}`, headers: { connection: /keep-alive/i } });
  }
  await client.send('GET /last HTTP/1.0\r\nHost: a.example\r\n\r\n');
  await client.expectReply({ status: 200, body: '/last' });
  await client.expectClosed();
});

wire('an HTTP/1.0 request goes upstream as HTTP/1.1 with a Host', async ({ client, upstream }) => {
  await client.send('GET /x HTTP/1.0\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectRequest({ target: '/x', headers: { host: /./ } });
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire(
  'Connection: close of the upstream ends its connection, not the one of the client',
  async ({ client, upstream }) => {
    for (let round = 0; round < 3; round++) {
      await client.send(get(`/${round}`));
      const connection = await upstream.accept();
      await connection.expectHead();
      await connection.send(ok('yes', 'Connection: close'));
      const { fields } = await client.expectReply({ status: 200, body: 'yes' });
      assert.doesNotMatch(fields.get('connection') ?? '', /close/i);
      await connection.expectClosed();
    }
  },
);

wire('an HTTP/1.0 upstream that does not promise keep-alive is not asked twice', async ({ client, upstream }) => {
  for (let round = 0; round < 2; round++) {
    await client.send(get(`/${round}`));
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(ok('yes').replace('HTTP/1.1', 'HTTP/1.0'));
    await client.expectReply({ status: 200, body: 'yes' });
    await connection.expectClosed();
  }
});

wire('the gateway asks its upstream for keep-alive, whatever the client asks for', async ({ client, upstream }) => {
  upstream.answerAll(({ fields }) => {
    assert.doesNotMatch(fields.get('connection') ?? '', /close/i);
    return ok('yes');
  });
  await client.send(get('/', 'Connection: close'));
  await client.expectStatus(200);
  const other = await client.connect();
  await other.send('GET / HTTP/1.0\r\n\r\n');
  await other.expectStatus(200);
  upstream.expectConnections(1);
});
