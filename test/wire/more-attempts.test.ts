import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../support/guard.ts';
import { listenUnresponsive } from '../support/unresponsive-upstream.ts';
import { ok, type UpstreamConnection, type WireUpstream } from '../support/upstream.ts';
import { runWire, type WireContext, type WireOptions, wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const POST = 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd';
const PUT = POST.replace('POST', 'PUT');

/** Without pauses, and as many retries as the test wants. */
const retrying = (retries: number, more: Partial<WireOptions> = {}): WireOptions => ({
  upstreams: 2,
  routes: [{ retries }],
  backend: { retry_backoff: { initial: '1ms', max: '1ms' } },
  ...more,
});

/** The upstream that the only request has come to, and the other one. */
async function chosen({ upstreams }: WireContext): Promise<{ first: UpstreamConnection; other: WireUpstream }> {
  const [one, two] = upstreams as [WireUpstream, WireUpstream];
  await settle();
  const [from, other] = one.connectionCount > 0 ? [one, two] : [two, one];
  return { first: await from.accept(), other };
}

wire(
  'the retry goes to another upstream, also when it would be the turn of the one that failed',
  retrying(1),
  async (context) => {
    const { client } = context;
    await client.send(GET);
    const { first, other } = await chosen(context);
    await first.expectRequest();
    other.answerAll(() => ok('other'));
    const second = await client.connect();
    await second.send(GET);
    await second.expectReply({ body: 'other' });
    first.reset();
    await client.expectReply({ status: 200, body: 'other' });
  },
);

const INTERIM = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';

/** What a new connection of the first upstream does after it has got a request whole. */
const AFTER_THE_REQUEST = [
  { why: 'a GET that is reset', request: GET, does: (one: UpstreamConnection) => one.reset(), again: true },
  { why: 'a GET whose connection is ended', request: GET, does: (one: UpstreamConnection) => one.end(), again: true },
  { why: 'a small PUT that is reset', request: PUT, does: (one: UpstreamConnection) => one.reset(), again: true },
  {
    why: 'a GET of whose reply half a head came',
    request: GET,
    does: async (one: UpstreamConnection) => {
      await one.send('HTTP/1.1 200 OK\r\nX');
      one.end();
    },
    again: true,
  },
  {
    why: 'a POST, which may have taken effect',
    request: POST,
    does: (one: UpstreamConnection) => one.reset(),
    again: false,
  },
  {
    why: 'a GET that got an interim reply, which the client has seen',
    request: GET,
    does: async (one: UpstreamConnection) => {
      await one.send(INTERIM);
      await settle();
      one.reset();
    },
    again: false,
  },
  {
    why: 'a GET that is answered with nonsense: that is an answer',
    request: GET,
    does: (one: UpstreamConnection) => one.send('nonsense\r\n\r\n'),
    again: false,
  },
] as const;

for (const { why, request, does, again } of AFTER_THE_REQUEST) {
  wire(
    `${again ? 'tried again' : '502, not tried again'} on the other upstream: ${why}`,
    retrying(1),
    async (context) => {
      const { client } = context;
      await client.send(request);
      const { first, other } = await chosen(context);
      const sent = await first.expectRequest();
      if (again)
        other.answerAll((second) => ok(`${second.method} ${second.body} ${second.fields.get('x-request-id')}`));
      await does(first);
      if (again) {
        const body = `${sent.method} ${sent.body} ${sent.fields.get('x-request-id')}`;
        await client.expectReply({ status: 200, body });
        other.expectConnections(1);
      } else {
        if (why.includes('interim')) await client.expectText(INTERIM);
        await client.expectStatus(502);
        other.expectNoConnection();
      }
    },
  );
}

for (const status of [500, 502, 503, 504, 429]) {
  wire(`a reply of ${status} is passed on: it is an answer`, retrying(3), async (context) => {
    await context.client.send(GET);
    const { first, other } = await chosen(context);
    await first.expectRequest();
    await first.send(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nno`);
    await context.client.expectReply({ status, body: 'no' });
    other.expectNoConnection();
  });
}

wire('a reply that has begun is cut, not begun again', retrying(3), async (context) => {
  await context.client.send(GET);
  const { first, other } = await chosen(context);
  await first.expectRequest();
  await first.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
  await settle();
  first.reset();
  await context.client.expectTruncatedReply(200);
  other.expectNoConnection();
});

for (const { why, request } of [
  { why: 'GET', request: GET },
  { why: 'POST', request: POST },
]) {
  wire(
    `nobody listens: a ${why} was not sent, and goes to the next upstream`,
    retrying(1),
    async ({ client, upstreams }) => {
      await upstreams[0]?.refuse();
      upstreams[1]?.answerAll(({ body }) => ok(`got ${body}`));
      for (let turn = 0; turn < 3; turn++) {
        await client.send(request);
        await client.expectReply({ status: 200, body: `got ${request === POST ? 'abcd' : ''}` });
      }
    },
  );
}

wire(
  'a POST whose body goes on while the first upstream refuses comes whole to the next',
  retrying(1),
  async (context) => {
    const { client, upstreams } = context;
    await upstreams[0]?.refuse();
    upstreams[1]?.answerAll(({ body, trailers }) => ok(`${body} ${trailers.get('x-sum')}`));
    for (let turn = 0; turn < 2; turn++) {
      await client.send('POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      await settle();
      await client.send('3\r\ndef\r\n0\r\nX-Sum: 1\r\n\r\n');
      await client.expectReply({ status: 200, body: 'abcdef 1' });
    }
  },
);

test('an upstream that does not accept in time: a POST goes to the next one, for nothing was sent', async () => {
  const unresponsive = await listenUnresponsive();
  try {
    const options = retrying(1, {
      upstreams: 1,
      otherPorts: [unresponsive.port],
      upstream: { connection_timeout: '3s' },
    });
    await runWire(options, async ({ client, upstream, clock }) => {
      upstream.answerAll(({ body }) => ok(body));
      for (let turn = 0; turn < 2; turn++) {
        await client.send(POST);
        await clock.advanceUntil(client.expectReply({ status: 200, body: 'abcd' }));
      }
    });
  } finally {
    await unresponsive.close();
  }
});

wire(
  'a handshake that fails: a POST goes on, for nothing was sent',
  retrying(1, { upstream: { tls: true } }),
  async (context) => {
    const { client } = context;
    await client.send(POST);
    const { first, other } = await chosen(context);
    await first.send('HTTP/1.1 400 No TLS\r\n\r\n');
    const second = await other.accept();
    assert.notEqual(second, first);
    await second.send('HTTP/1.1 400 No TLS\r\n\r\n');
    await client.expectReply({ status: 502, body: /upstream_tls_failed/ });
  },
);

wire('a silent upstream: a GET goes to the next one after read_timeout', retrying(1), async (context) => {
  const { client, clock } = context;
  await client.send(GET);
  const { first, other } = await chosen(context);
  await first.expectRequest();
  other.answerAll(() => ok('other'));
  await clock.advance(31_000);
  await client.expectReply({ status: 200, body: 'other' });
  await first.expectClosed();
});

wire(
  'no more attempts than the route allows, each on another upstream, then round again',
  retrying(3, { upstreams: 3 }),
  async (context) => {
    const { client, upstreams } = context;
    await client.send(GET);
    const seen: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await settle();
      const open = upstreams.find((each) => each.openCount > 0) ?? assert.fail('nobody is asked');
      const connection = await open.accept();
      seen.push(connection.name.split(' connection')[0] ?? '');
      await connection.expectRequest();
      connection.reset();
    }
    await client.expectStatus(502);
    assert.equal(new Set(seen.slice(0, 3)).size, 3, seen.join(', '));
  },
);

/** Pauses so long that a random one is never as short as none. */
const paused = retrying(1, { backend: { retry_backoff: { initial: '10m', max: '10m' } } });

wire('a retry waits for its pause', paused, async (context) => {
  const { client, clock } = context;
  await client.send(GET);
  const { first, other } = await chosen(context);
  await first.expectRequest();
  first.reset();
  await settle();
  assert.equal(other.connectionCount, 0);
  other.answerAll(() => ok('other'));
  for (let passed = 0; passed < 601_000 && client.inbox.length === 0; passed += 1000) await clock.advance(1000);
  await client.expectReply({ status: 200, body: 'other' });
});

wire('a client that goes away in the pause ends it, and nothing is sent', paused, async (context) => {
  const { client, clock, gateway } = context;
  await client.send(GET);
  const { first, other } = await chosen(context);
  await first.expectRequest();
  first.reset();
  await settle();
  client.reset();
  await settle();
  assert.equal(gateway.plane.activeExchanges, 0);
  await clock.advance(601_000);
  other.expectNoConnection();
  assert.deepEqual(gateway.logLines, []);
});

wire(
  'the deadline of the route holds in the pause',
  { ...paused, routes: [{ retries: 1, timeout: '2s' }] },
  async (context) => {
    const { client, clock } = context;
    await client.send(PUT.replace('abcd', 'ab'));
    const { first, other } = await chosen(context);
    await first.expectHead();
    first.reset();
    await clock.advance(2_500);
    await client.expectReply({ status: 504, body: /deadline_exceeded/ });
    await clock.advance(601_000);
    other.expectNoConnection();
  },
);

const budget = (share: number, perSecond: number): WireOptions =>
  retrying(1, {
    upstreams: 1,
    backend: {
      retry_backoff: { initial: '1ms', max: '1ms' },
      retry_budget: { share, min_per_second: perSecond },
    },
  });

/** Sends a request whose every attempt is reset. Returns how many there were. */
async function attemptsOf({ client, upstream }: WireContext): Promise<number> {
  const before = upstream.connectionCount;
  await client.send(GET);
  for (let done = false; !done; ) {
    const connection = await upstream.accept();
    await connection.expectRequest();
    connection.reset();
    await settle();
    done = client.inbox.length > 0;
  }
  await client.expectStatus(502);
  return upstream.connectionCount - before;
}

wire('without a budget nothing is tried again', budget(0, 0), async (context) => {
  assert.equal(await attemptsOf(context), 1);
});

wire('so many retries a second, and more in the next one', budget(0, 2), async (context) => {
  assert.deepEqual([await attemptsOf(context), await attemptsOf(context), await attemptsOf(context)], [2, 2, 1]);
  await context.clock.advance(1000);
  assert.deepEqual([await attemptsOf(context), await attemptsOf(context), await attemptsOf(context)], [2, 2, 1]);
});

wire('a share of the requests', budget(0.5, 0), async (context) => {
  const counts: number[] = [];
  for (let turn = 0; turn < 6; turn++) counts.push(await attemptsOf(context));
  assert.deepEqual(counts, [1, 2, 1, 2, 1, 2]);
});
