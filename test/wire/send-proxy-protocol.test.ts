import assert from 'node:assert/strict';
import { settle } from '../support/guard.ts';
import { ok, type UpstreamConnection } from '../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../support/wire.ts';
import { COMMAND, FAMILY, version2 } from './proxy-protocol/headers.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';

const sending = (version: 'v1' | 'v2'): WireOptions => ({ upstream: { send_proxy_protocol: version } });

/** The header, of version 1, that tells of a client of the test. */
function lineFor({ socket }: { readonly socket: { readonly localPort?: number | undefined } }, context: WireContext) {
  return `PROXY TCP4 127.0.0.1 127.0.0.1 ${socket.localPort} ${context.gateway.port}\r\n`;
}

async function answer(connection: UpstreamConnection, body: string): Promise<void> {
  await connection.expectRequest();
  await connection.send(ok(body));
}

wire('a connection to the upstream begins with a line that tells of the client', sending('v1'), async (context) => {
  const { client, upstream } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectText(lineFor(client, context));
  await connection.expectRequest({ headers: { connection: 'close' } });
  await connection.send(ok('yes'));
  await client.expectReply({ status: 200, body: 'yes', headers: { connection: null } });
});

wire('a connection to the upstream begins with a binary header of version 2', sending('v2'), async (context) => {
  const { client, upstream, gateway } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  const ends = Buffer.from([127, 0, 0, 1, 127, 0, 0, 1, 0, 0, 0, 0]);
  ends.writeUInt16BE(client.socket.localPort ?? 0, 8);
  ends.writeUInt16BE(gateway.port, 10);
  await connection.expectText(version2(COMMAND.PROXY, FAMILY.TCP4, ends).toString('latin1'));
  await answer(connection, 'yes');
  await client.expectReply({ status: 200, body: 'yes' });
});

wire(
  'the client of a PROXY header that came in goes out in one, with both of its ends',
  {
    ...sending('v1'),
    preface: 'PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n',
    server: { proxy_protocol: true, trusted_proxies: ['127.0.0.1'] },
  },
  async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectText('PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n');
    await answer(connection, 'yes');
    await client.expectStatus(200);
  },
);

wire(
  'a client on a Unix socket is told as unknown',
  {
    ...sending('v1'),
    preface: version2(COMMAND.PROXY, FAMILY.UNIX, Buffer.alloc(216)).toString('latin1'),
    server: { proxy_protocol: true, trusted_proxies: ['127.0.0.1'] },
  },
  async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectText('PROXY UNKNOWN\r\n');
    await answer(connection, 'yes');
    await client.expectStatus(200);
  },
);

for (const version of ['v1', 'v2'] as const) {
  wire(`two clients never share a connection that a ${version} header began`, sending(version), async (context) => {
    const { client, upstream } = context;
    const other = await client.connect();
    const headers: string[] = [];
    for (const each of [client, other, client, other]) {
      await each.send(GET);
      const connection = await upstream.accept();
      const header = await connection.inbox.takeThrough('GET ', 'the header of a connection');
      headers.push(header);
      const port = each.socket.localPort ?? 0;
      const told = version === 'v1' ? header.split(' ')[4] : String(Buffer.from(header, 'latin1').readUInt16BE(24));
      assert.equal(told, String(port));
      await connection.inbox.takeThrough('\r\n\r\n', 'the request');
      await connection.send(ok('yes'));
      await each.expectStatus(200);
    }
    assert.equal(new Set(headers).size, 2);
  });
}

wire(
  'a reply that ends with a failure leaves no connection for another client',
  { ...sending('v1'), routes: [{ retries: 0 }] },
  async (context) => {
    const { client, upstream } = context;
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectText(lineFor(client, context));
    await connection.expectRequest();
    connection.reset();
    await client.expectStatus(502);
    const other = await client.connect();
    await other.send(GET);
    const next = await upstream.accept();
    await next.expectText(lineFor(other, context));
    await answer(next, 'yes');
    await other.expectStatus(200);
  },
);

wire(
  'a request that waits for the connection comes behind the header, body and all',
  sending('v1'),
  async (context) => {
    const { client, upstream } = context;
    const body = 'b'.repeat(150_000);
    await client.send(`POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const connection = await upstream.accept();
    await connection.expectText(lineFor(client, context));
    await connection.expectRequest({ body });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

wire(
  'connections with a header are closed behind their exchange and do not use up max_connections',
  { upstream: { send_proxy_protocol: 'v1', max_connections: 1 } },
  async (context) => {
    const { client, upstream } = context;
    for (const each of [client, await client.connect(), await client.connect()]) {
      await each.send(GET);
      const connection = await upstream.accept();
      await connection.expectText(lineFor(each, context));
      await answer(connection, 'yes');
      await each.expectStatus(200);
      await connection.expectClosed();
      await settle();
    }
  },
);

wire('without send_proxy_protocol nothing goes before the request', async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest({ headers: { connection: null } });
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});
