import assert from 'node:assert/strict';
import { ok, type UpstreamConnection } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

/**
 * An upstream that goes away in the middle of its reply, at every byte of it. Before the head is whole nothing of it has gone out,
 * and the client gets a 502; after that the client's reply is cut off too. Whichever it is, the connection is not used again.
 */

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const once = { routes: [{ retries: 0 }] };

const REPLIES = [
  { why: 'a length', reply: ok('abcdefgh', 'X-A: b') },
  {
    why: 'chunks and trailers',
    reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n4;x=y\r\nefgh\r\n0\r\nX-A: b\r\n\r\n',
  },
  { why: 'an interim reply before it', reply: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('abcd')}` },
];

/** Sends the request and the first `bytes` of the reply, and goes. */
async function playCut({ client, upstream }: WireContext, part: string): Promise<UpstreamConnection> {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  if (part !== '') await connection.send(part);
  return connection;
}

for (const { why, reply } of REPLIES) {
  for (const ending of ['end', 'reset'] as const) {
    wire(
      `a reply that its upstream leaves at any byte never looks complete: ${why}, ${ending}`,
      once,
      async (context) => {
        const interimEnd = reply.startsWith('HTTP/1.1 103') ? reply.indexOf('\r\n\r\n') + 4 : 0;
        const headEnd = reply.indexOf('\r\n\r\n', interimEnd) + 4;
        for (let cut = 0; cut < reply.length; cut++) {
          const client = await context.client.connect();
          const connection = await playCut({ ...context, client }, reply.slice(0, cut));
          connection[ending]();
          if (interimEnd > 0 && cut >= interimEnd) await client.expectInterim(103);
          if (cut < headEnd) await client.expectStatus(502);
          else await client.expectTruncatedReply(200);
          await connection.expectClosed();
          client.reset();
        }
        context.upstream.expectConnections(reply.length);
      },
    );
  }
}

wire('a head that the upstream leaves half is not finished by the next upstream connection', once, async (context) => {
  const { client, upstream } = context;
  const first = await playCut(context, 'HTTP/1.1 200 OK\r\nX-Of-The-First: 1\r\nContent-Le');
  first.end();
  await client.expectStatus(502);
  await client.send(GET);
  const second = await upstream.accept();
  await second.expectHead();
  await second.send(ok('second'));
  await client.expectReply({ status: 200, body: 'second', headers: { 'x-of-the-first': null } });
});

wire('a body until close that is reset at any byte never looks complete', once, async (context) => {
  const head = 'HTTP/1.1 200 OK\r\n\r\n';
  for (let sent = 0; sent <= 4; sent++) {
    const client = await context.client.connect();
    const connection = await playCut({ ...context, client }, head + 'abcd'.slice(0, sent));
    await client.inbox.until('the head', () => client.inbox.bytes.includes('\r\n\r\n') || undefined);
    connection.reset();
    await client.expectTruncatedReply(200);
    client.reset();
  }
});

for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
  wire(`a cut reply of a length is cut for an ${version} client that asked for keep-alive`, once, async (context) => {
    const { client, upstream } = context;
    await client.send(`GET /x ${version}\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n${GET}`);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcd');
    await client.inbox.until('a part of the body', () => client.inbox.bytes.includes('abcd') || undefined);
    connection.end();
    const rest = await client.expectTruncatedReply(200);
    assert.equal(rest.toString('latin1'), 'abcd', 'what was pipelined behind is not answered into the body');
    upstream.expectConnections(1);
  });
}

wire('what one client lacks of its reply does not come to the next one', once, async (context) => {
  const { client, upstream } = context;
  const cut = await playCut(context, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfor the first only');
  await client.inbox.until('a part of the body', () => client.inbox.bytes.includes('only') || undefined);
  client.reset();
  await cut.expectClosed();
  const other = await client.connect();
  await other.send(GET);
  const fresh = await upstream.accept();
  await fresh.expectHead();
  // The first upstream connection is gone: what it would still say meets nobody.
  await cut.send('and the rest of the first').catch(() => {});
  await fresh.send(ok('for the second'));
  await other.expectReply({ status: 200, body: 'for the second' });
  upstream.expectConnections(2);
});
