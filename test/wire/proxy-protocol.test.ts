import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { eventually, guarded, settle } from '../support/guard.ts';
import { Peer } from '../support/peer.ts';
import { ok } from '../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../support/wire.ts';
import { COMMAND, FAMILY, IPV4_ENDS, IPV6_ENDS, tlv, version2, withChecksum } from './proxy-protocol/headers.ts';

const V1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n';
const V2 = version2(COMMAND.PROXY, FAMILY.TCP4, IPV4_ENDS).toString('latin1');
const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** The peers of the tests, which come from 127.0.0.1, are trusted proxies. */
const server = { proxy_protocol: true, trusted_proxies: ['127.0.0.0/8'], connection_timeout: '2s' };
const proxied: WireOptions = { preface: V1, server };
const plain: WireOptions = { ...proxied, secure: false };
const secure: WireOptions = { ...proxied, secure: true };

/** Connects without TLS, whatever the clients of this run speak, and waits until the gateway has accepted. */
async function openRaw({ gateway }: WireContext): Promise<Socket> {
  const { plane, port } = gateway;
  const before = plane.openConnections;
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => {});
  await eventually(
    'the connection to be accepted',
    () => plane.openConnections > before,
    () => '',
  );
  return socket;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

for (const { preface, address, port, why } of [
  { preface: V1, address: '192.0.2.7', port: '443', why: 'version 1, IPv4' },
  {
    preface: 'PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n',
    address: '2001:db8::7',
    port: '443',
    why: 'version 1, IPv6',
  },
  { preface: V2, address: '192.0.2.7', port: '443', why: 'version 2, IPv4' },
  {
    preface: version2(COMMAND.PROXY, FAMILY.TCP6, IPV6_ENDS).toString('latin1'),
    address: '2001:db8::7',
    port: '443',
    why: 'version 2, IPv6',
  },
  {
    preface: version2(
      COMMAND.PROXY,
      FAMILY.TCP4,
      Buffer.concat([IPV4_ENDS, tlv(0x20, Buffer.alloc(2000, 'T'))]),
    ).toString('latin1'),
    address: '192.0.2.7',
    port: '443',
    why: 'version 2 with TLVs',
  },
  {
    preface: withChecksum(FAMILY.TCP4, IPV4_ENDS).toString('latin1'),
    address: '192.0.2.7',
    port: '443',
    why: 'version 2 with a checksum',
  },
  {
    preface: version2(COMMAND.PROXY, FAMILY.UNIX, Buffer.alloc(216)).toString('latin1'),
    address: 'unix:',
    port: '0',
    why: 'version 2, a Unix socket',
  },
]) {
  wire(`the client of a PROXY header is the peer: ${why}`, { ...proxied, preface }, async ({ client, upstream }) => {
    await client.send(`GET /x HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`);
    const connection = await upstream.accept();
    await connection.expectRequest({ headers: { 'x-forwarded-for': address, 'x-forwarded-port': port } });
    await connection.send(ok('yes'));
    await client.expectReply({ status: 200, body: 'yes' });
  });
}

for (const { preface, why } of [
  { preface: 'PROXY UNKNOWN\r\n', why: 'UNKNOWN' },
  { preface: version2(COMMAND.LOCAL, FAMILY.UNSPEC, Buffer.alloc(0)).toString('latin1'), why: 'LOCAL' },
  { preface: version2(COMMAND.LOCAL, FAMILY.TCP4, IPV4_ENDS).toString('latin1'), why: 'LOCAL with addresses' },
  { preface: version2(COMMAND.PROXY, FAMILY.UNSPEC, Buffer.alloc(0)).toString('latin1'), why: 'UNSPEC' },
]) {
  wire(
    `a PROXY header that tells nothing leaves the proxy as the peer: ${why}`,
    { ...proxied, preface },
    async (context) => {
      const { client, upstream, gateway } = context;
      await client.send('GET /x HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n');
      const connection = await upstream.accept();
      await connection.expectRequest({
        headers: { 'x-forwarded-for': '203.0.113.9, 127.0.0.1', 'x-forwarded-port': String(gateway.port) },
      });
      await connection.send(ok('yes'));
      await client.expectStatus(200);
    },
  );
}

wire(
  'X-Forwarded-For of a client that is itself a trusted proxy counts, as if it had come directly',
  {
    preface: 'PROXY TCP4 10.0.0.1 198.51.100.1 4711 443\r\n',
    server: { ...server, trusted_proxies: ['127.0.0.0/8', '10.0.0.0/8'] },
  },
  async ({ client, upstream }) => {
    await client.send('GET /x HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectRequest({ headers: { 'x-forwarded-for': '203.0.113.9, 10.0.0.1' } });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

wire('every request of a connection has the client of its header', proxied, async ({ client, upstream }) => {
  upstream.answerAll(({ fields }) => ok(fields.get('x-forwarded-for') ?? ''));
  await client.send(GET + GET + GET);
  for (let count = 0; count < 3; count++) await client.expectReply({ body: '192.0.2.7' });
  const other = await client.connect({ preface: 'PROXY TCP4 192.0.2.8 198.51.100.1 1 2\r\n' });
  await other.send(GET);
  await other.expectReply({ body: '192.0.2.8' });
  await client.send(GET);
  await client.expectReply({ body: '192.0.2.7' });
});

for (const header of [V1, V2]) {
  const version = header === V1 ? 1 : 2;

  wire(`a header of version ${version} and a body come whole in one segment`, proxied, async (context) => {
    const { client, upstream, gateway } = context;
    const body = 'b'.repeat(300_000);
    const request = `POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const socket = await openPlainOrTls(context, header, request);
    const connection = await upstream.accept();
    await connection.expectRequest({ body, headers: { 'x-forwarded-for': '192.0.2.7' } });
    await connection.send(ok('yes'));
    await socket.expectText('HTTP/1.1 200 OK\r\n');
    assert.equal(gateway.plane.openConnections, 2);
    socket.reset();
    await client.expectSilence();
  });

  wire(`a header of version ${version} comes byte by byte`, proxied, async (context) => {
    const { upstream } = context;
    upstream.answerAll(({ fields }) => ok(fields.get('x-forwarded-for') ?? ''));
    const raw = await openRaw(context);
    for (const byte of latin1(header)) {
      raw.write(Buffer.from([byte]));
      await settle(2);
    }
    const peer = await withTls(context, raw);
    await peer.send(GET);
    const head = await peer.inbox.takeThrough('\r\n\r\n', 'the head of the reply');
    assert.match(head, /^HTTP\/1\.1 200 /);
    await peer.expectText('192.0.2.7');
    peer.reset();
  });

  wire(`a header of version ${version} and what follows may be cut anywhere`, plain, async (context) => {
    const { upstream } = context;
    upstream.answerAll(({ fields }) => ok(fields.get('x-forwarded-for') ?? ''));
    const all = latin1(header + GET);
    for (let cut = 1; cut < all.length; cut++) {
      const raw = new Peer(await openRaw(context), `cut at ${cut}`);
      await raw.send(all.subarray(0, cut));
      await settle(2);
      await raw.send(all.subarray(cut));
      await raw.inbox.takeThrough('\r\n\r\n', 'the head of the reply');
      await raw.expectText('192.0.2.7');
      raw.reset();
    }
  });

  wire(`the ClientHello behind a header of version ${version} may be cut anywhere`, secure, async (context) => {
    const { upstream } = context;
    upstream.answerAll(({ fields }) => ok(fields.get('x-forwarded-for') ?? ''));
    for (let cut = 1; cut < header.length + 100; cut += 3) {
      const carrier = await openRaw(context);
      holdBackFrom(carrier, cut);
      carrier.write(header, 'latin1');
      const peer = await withTls(context, carrier);
      await peer.send(GET);
      await peer.inbox.takeThrough('\r\n\r\n', 'the head of the reply');
      await peer.expectText('192.0.2.7');
      peer.reset();
    }
  });
}

/** Lets the first `cut` bytes that are written go out as they come, then sends the next ones in segments of their own. */
function holdBackFrom(socket: Socket, cut: number): void {
  socket.setNoDelay(true);
  let left = cut;
  const write = socket._write.bind(socket);
  socket._write = (chunk: Buffer | string, encoding, done) => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    if (bytes.length <= left || left === 0) {
      left = Math.max(0, left - bytes.length);
      write(bytes, 'buffer' as BufferEncoding, done);
      return;
    }
    const first = bytes.subarray(0, left);
    const rest = bytes.subarray(left);
    left = 0;
    write(first, 'buffer' as BufferEncoding, (error) => {
      if (error) done(error);
      else void settle(3).then(() => write(rest, 'buffer' as BufferEncoding, done));
    });
  };
}

/** TLS over the socket where the clients of this run speak it. */
async function withTls({ gateway }: WireContext, carrier: Socket): Promise<Peer> {
  if (gateway.scheme === 'http') return new Peer(carrier, 'a client');
  const socket = connectTls({ socket: carrier, rejectUnauthorized: false });
  const peer = new Peer(socket, 'a client', carrier);
  await guarded('the handshake', once(socket, 'secureConnect'), () => '');
  return peer;
}

/** A client whose header goes out with the next bytes in one segment: the request, or the ClientHello. */
async function openPlainOrTls(context: WireContext, header: string, request: string): Promise<Peer> {
  const carrier = await openRaw(context);
  if (context.gateway.scheme === 'http') {
    const peer = new Peer(carrier, 'a client');
    await peer.send(header + request);
    return peer;
  }
  carrier.cork();
  carrier.write(header, 'latin1');
  const opening = withTls(context, carrier);
  carrier.uncork();
  const peer = await opening;
  await peer.send(request);
  return peer;
}

wire('what a client half-closes behind its header is served', plain, async (context) => {
  context.upstream.answerAll(() => ok('yes'));
  for (const pieces of [[V1 + GET], [V1, GET], [V2 + GET]]) {
    const raw = new Peer(await openRaw(context), 'a client');
    for (const piece of pieces) raw.socket.write(piece, 'latin1');
    raw.end();
    await raw.inbox.takeThrough('\r\n\r\n', 'the head of the reply');
    await raw.expectText('yes');
    await raw.expectClosed();
  }
});

for (const how of ['end', 'reset'] as const) {
  wire(`a client that leaves (${how}) in its handshake behind the header leaves nothing`, secure, async (context) => {
    const { plane } = context.gateway;
    for (const pieces of [[`${V1}\x16\x03\x01\x02`], [V1, '\x16\x03\x01\x02'], [V1]]) {
      const before = plane.openConnections;
      const raw = new Peer(await openRaw(context), 'a client');
      for (const piece of pieces) raw.socket.write(piece, 'latin1');
      // A FIN may come in one read with the header; a reset would take it away.
      if (how === 'reset') await settle(2);
      raw[how]();
      const gone = eventually(
        'the connection to end',
        () => plane.openConnections === before,
        () => `${plane.openConnections} are open`,
      );
      await context.clock.advanceUntil(gone);
    }
    context.upstream.expectNoConnection();
  });
}

const INVALID = [
  { bytes: GET, why: 'a request without a header' },
  { bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc', why: 'TLS without a header' },
  { bytes: 'PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n', why: 'a header that lacks a port' },
  { bytes: `PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\n${GET}`, why: 'a line that ends with LF alone' },
  { bytes: `PROXY TCP4 192.0.2.7 198.51.100.1 4711 443${' '.repeat(100)}`, why: 'a line without CR LF' },
  { bytes: withChecksum(FAMILY.TCP4, IPV4_ENDS, 1).toString('latin1'), why: 'a checksum that is wrong' },
  { bytes: version2(COMMAND.PROXY, FAMILY.TCP4, IPV4_ENDS, 9000).toString('latin1'), why: 'a length beyond the limit' },
] as const;

for (const { bytes, why } of INVALID) {
  wire(`a trusted proxy that begins with ${why} is cut off without a word`, proxied, async (context) => {
    const raw = new Peer(await openRaw(context), 'a proxy');
    await raw.send(bytes);
    await raw.expectClosed();
    context.upstream.expectNoConnection();
    const warnings = context.gateway.logLines.filter((line) => line.includes('proxy-header-missing'));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^warn .*"peer":"127\.0\.0\.1"/);
  });
}

for (const { bytes, why } of [
  { bytes: '', why: 'nothing' },
  { bytes: 'PROXY TCP4 192.0.2.7', why: 'half a line' },
  { bytes: V2.slice(0, 20), why: 'half a binary header' },
]) {
  wire(`a trusted proxy that sends ${why} is cut off after connection_timeout`, proxied, async (context) => {
    const raw = new Peer(await openRaw(context), 'a proxy');
    if (bytes !== '') await raw.send(bytes);
    await context.clock.advance(1500);
    await raw.expectSilence();
    await context.clock.advanceUntil(raw.expectClosed());
    context.upstream.expectNoConnection();
  });

  for (const how of ['end', 'reset'] as const) {
    wire(
      `a trusted proxy that sends ${why} and leaves (${how}) leaves nothing, and no warning`,
      proxied,
      async (context) => {
        const { plane, logLines } = context.gateway;
        const before = plane.openConnections;
        const raw = new Peer(await openRaw(context), 'a proxy');
        if (bytes !== '') await raw.send(bytes);
        raw[how]();
        await eventually(
          'the connection to end',
          () => plane.openConnections === before,
          () => `${plane.openConnections} are open`,
        );
        assert.deepEqual(logLines, []);
      },
    );
  }
}

wire('many bad headers are told in few warnings', proxied, async (context) => {
  for (let count = 0; count < 10; count++) {
    const raw = new Peer(await openRaw(context), 'a proxy');
    await raw.send(GET);
    await raw.expectClosed();
  }
  await context.clock.advance(10_500);
  const raw = new Peer(await openRaw(context), 'a proxy');
  await raw.send(GET);
  await raw.expectClosed();
  const counts = context.gateway.logLines.map((line) => /"failures":(\d+)/.exec(line)?.[1]);
  assert.deepEqual(counts, ['1', '10']);
});

const untrusting: WireOptions = { server: { ...server, trusted_proxies: ['10.0.0.0/8'] } };

wire('a peer that is not trusted is served as the client that it is', untrusting, async ({ client, upstream }) => {
  upstream.answerAll(({ fields }) => ok(fields.get('x-forwarded-for') ?? ''));
  await client.send(GET);
  await client.expectReply({ status: 200, body: '127.0.0.1' });
});

for (const header of [V1, V2]) {
  const version = header === V1 ? 1 : 2;
  wire(`a peer that is not trusted cannot set its address with version ${version}`, untrusting, async (context) => {
    const raw = new Peer(await openRaw(context), 'an attacker');
    await raw.send(header + GET);
    const answer = (await raw.expectClosedAfter()).toString('latin1');
    if (context.gateway.scheme === 'http') assert.match(answer, /^HTTP\/1\.1 400 /);
    else assert.doesNotMatch(answer, /HTTP/);
    context.upstream.expectNoConnection();
  });

  wire(`without proxy_protocol a header of version ${version} is a malformed request`, async (context) => {
    const raw = new Peer(await openRaw(context), 'a proxy');
    await raw.send(header + GET);
    const answer = (await raw.expectClosedAfter()).toString('latin1');
    if (context.gateway.scheme === 'http') assert.match(answer, /^HTTP\/1\.1 400 /);
    context.upstream.expectNoConnection();
  });
}

wire(
  'connections that still owe their header count towards max_connections, and one too many is told so behind its own',
  { preface: V1, server: { ...server, max_connections: 2 } },
  async (context) => {
    const waiting = new Peer(await openRaw(context), 'a proxy');
    const refused = await context.client.connect();
    await refused.expectReply({ status: 503 });
    await refused.expectClosed();
    waiting.reset();
  },
);

wire(
  'a drain gives connections that still owe their header a second, and closes them without a word',
  proxied,
  async (context) => {
    const raw = new Peer(await openRaw(context), 'a proxy');
    await raw.send('PROXY ');
    const drained = context.gateway.plane.drain();
    await context.clock.advance(900);
    await raw.expectSilence();
    await context.clock.advance(300);
    await raw.expectClosed();
    assert.deepEqual(context.gateway.logLines, []);
    context.client.end();
    await context.clock.advanceUntil(drained);
  },
);
