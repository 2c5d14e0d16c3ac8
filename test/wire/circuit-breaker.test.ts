import assert from 'node:assert/strict';
import { ClientFactory, type WireClient } from '../support/client.ts';
import { settle } from '../support/guard.ts';
import { ok, type UpstreamConnection, type WireUpstream } from '../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const POST = 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n';
const ERROR = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n';

const withBreaker = (settings: object = {}, others: WireOptions = {}): WireOptions => ({
  routes: [{ retries: 0 }],
  backend: { circuit_breaker: settings },
  ...others,
});

const events = ({ gateway }: WireContext): readonly string[] =>
  gateway.logLines.filter((line) => line.includes(' breaker-')).map((line) => line.split(' ').slice(0, 2).join(' '));

/** Every request of the test is answered by what `script.reply` is then. */
function scripted(upstream: WireUpstream, reply: string) {
  const script = { reply, requests: 0 };
  upstream.answerAll(() => {
    script.requests++;
    return script.reply;
  });
  return script;
}

/** The statuses of so many requests, one after the other. */
async function statuses(client: WireClient, count: number): Promise<readonly number[]> {
  const seen: number[] = [];
  for (let request = 0; request < count; request++) {
    await client.send(GET);
    seen.push((await client.expectReply()).status);
  }
  return seen;
}

wire(
  'an upstream that keeps failing is left alone, probed when its time is over, and served by again',
  withBreaker(),
  async (context) => {
    const { client, upstream, clock } = context;
    const script = scripted(upstream, ERROR);
    assert.deepEqual(await statuses(client, 6), [500, 500, 500, 500, 500, 503]);
    await clock.advance(30_000);
    await client.send(GET);
    const { body } = await client.expectReply({ status: 503, headers: { 'retry-after': '30' } });
    assert.match(body, /no_upstream/);
    assert.equal(script.requests, 5);
    await clock.advance(30_000);
    assert.deepEqual(await statuses(client, 2), [500, 503]);
    await clock.advance(60_000);
    script.reply = ok('well');
    assert.deepEqual(await statuses(client, 4), [200, 200, 200, 200]);
    assert.deepEqual(events(context), [
      ...['warn breaker-opened', 'info breaker-half-open', 'warn breaker-opened', 'info breaker-half-open'],
      'info breaker-closed',
    ]);
  },
);

wire('the others serve meanwhile', withBreaker({}, { upstreams: 2 }), async (context) => {
  const { client, upstreams } = context;
  const [bad, good] = upstreams.map((each, index) => scripted(each, index === 0 ? ERROR : ok('well')));
  const seen = await statuses(client, 20);
  assert.equal(seen.filter((status) => status === 500).length, 5);
  assert.deepEqual([bad?.requests, good?.requests], [5, 15]);
});

wire('a share of failures opens it too', withBreaker({ failure_rate: 0.5, min_requests: 10 }), async (context) => {
  const { client, upstream } = context;
  const script = scripted(upstream, ERROR);
  const seen: number[] = [];
  for (let request = 0; request < 14; request++) {
    script.reply = request % 2 === 0 ? ok('well') : ERROR;
    seen.push(...(await statuses(client, 1)));
  }
  assert.deepEqual(seen, [200, 500, 200, 500, 200, 500, 200, 500, 200, 500, 200, 500, 503, 503]);
});

/** How an upstream fails one request of `client`. */
const FAILURES: Record<string, (context: WireContext) => Promise<void>> = {
  'nobody listens': async ({ client, upstream }) => {
    await upstream.refuse();
    await client.send(GET);
    await client.expectStatus(502);
  },
  'it resets instead of answering': async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectRequest();
    connection.reset();
    await client.expectStatus(502);
  },
  'it sends nonsense': async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send('hello\r\n\r\n');
    await client.expectStatus(502);
  },
  'it is silent': async ({ client, upstream, clock }) => {
    await client.send(GET);
    await (await upstream.accept()).expectRequest();
    await clock.advanceUntil(client.expectStatus(504));
  },
  'it is silent until the deadline of the route': async ({ client, upstream, clock }) => {
    await client.send(GET.replace('/x', '/deadline'));
    await (await upstream.accept()).expectRequest();
    await clock.advanceUntil(client.expectStatus(504));
  },
  'its reply breaks off': async ({ client, upstream }) => {
    const other = await client.connect();
    await other.send(GET);
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
    await settle();
    connection.reset();
    await other.expectTruncatedReply(200);
  },
};

const eachFails: WireOptions = withBreaker(
  {},
  { upstream: { read_timeout: '1s' }, routes: [{ path: '/deadline', timeout: '500ms' }, { retries: 0 }] },
);

for (const [how, fails] of Object.entries(FAILURES)) {
  wire(`five failures open the breaker, each counted once: ${how}`, eachFails, async (context) => {
    const { client } = context;
    for (let failure = 0; failure < 4; failure++) await fails(context);
    assert.deepEqual(events(context), []);
    await fails(context);
    assert.deepEqual(events(context), ['warn breaker-opened']);
    assert.deepEqual(await statuses(client, 1), [503]);
  });
}

/** Where a client can leave. */
const ABORTS: Record<string, (client: WireClient, upstream: WireUpstream) => Promise<UpstreamConnection>> = {
  'before the whole request was sent': async (client, upstream) => {
    await client.send(`${POST}ab`);
    const connection = await upstream.accept();
    await connection.expectHead();
    return connection;
  },
  'while the upstream is silent': async (client, upstream) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectRequest();
    return connection;
  },
  'in mid-reply': async (client, upstream) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
    await client.expectReplyHead();
    return connection;
  },
};

async function abort(client: WireClient, upstream: WireUpstream, leave: (typeof ABORTS)[string]): Promise<void> {
  const connection = await leave(client, upstream);
  client.reset();
  await connection.expectAborted();
}

for (const [where, leave] of Object.entries(ABORTS)) {
  wire(`clients that leave ${where} open nothing, however many`, withBreaker(), async (context) => {
    const { client, upstream } = context;
    for (let left = 0; left < 12; left++) await abort(await client.connect(), upstream, leave);
    assert.deepEqual(events(context), []);
    scripted(upstream, ok('well'));
    assert.deepEqual(await statuses(client, 1), [200]);
  });

  wire(`clients that leave ${where} do not make failures forgotten`, withBreaker(), async (context) => {
    const { client, upstream } = context;
    for (let failure = 0; failure < 4; failure++) await FAILURES['it resets instead of answering']?.(context);
    await abort(await client.connect(), upstream, leave);
    await FAILURES['it resets instead of answering']?.(context);
    assert.deepEqual(events(context), ['warn breaker-opened']);
  });

  wire(`a client that leaves ${where} gives the probe back`, withBreaker(), async (context) => {
    const { client, upstream, clock } = context;
    for (let failure = 0; failure < 5; failure++) await FAILURES['it resets instead of answering']?.(context);
    await clock.advance(60_000);
    await abort(await client.connect(), upstream, leave);
    scripted(upstream, ok('well'));
    assert.deepEqual(await statuses(client, 3), [200, 200, 200]);
    assert.deepEqual(events(context).at(-1), 'info breaker-closed');
  });
}

wire('one probe at a time: others get 503 with Retry-After until it is answered', withBreaker(), async (context) => {
  const { client, upstream, clock } = context;
  for (let failure = 0; failure < 5; failure++) await FAILURES['it resets instead of answering']?.(context);
  await clock.advance(60_000);
  await client.send(GET);
  const probe = await upstream.accept();
  await probe.expectRequest();
  const other = await client.connect();
  await other.send(GET);
  await other.expectReply({ status: 503, headers: { 'retry-after': '1' } });
  await probe.send(ok('well'));
  await client.expectStatus(200);
  await other.send(GET);
  await probe.expectRequest();
  await probe.send(ok('well'));
  await other.expectStatus(200);
});

wire('a probe that a slow client keeps for ever does not keep others from probing', withBreaker(), async (context) => {
  const { client, upstream, clock } = context;
  for (let failure = 0; failure < 5; failure++) await FAILURES['it resets instead of answering']?.(context);
  await clock.advance(60_000);
  const slow = await client.connect();
  await slow.send(`${POST}a`);
  await (await upstream.accept()).expectHead();
  for (let part = 0; part < 3; part++) {
    assert.deepEqual(await statuses(client, 1), [503]);
    await clock.advance(20_000);
    if (part < 2) await slow.send('a');
    await settle();
  }
  scripted(upstream, ok('well'));
  assert.deepEqual(await statuses(client, 4), [200, 200, 200, 200]);
});

wire(
  "what has no room for a connection is nobody's failure",
  withBreaker({ failure_threshold: 1 }, { maxSockets: 1 }),
  async (context) => {
    const { client } = context;
    await client.send(GET);
    await client.expectStatus(503);
    await settle();
    assert.deepEqual(events(context), []);
  },
);

wire('two workers see one breaker', withBreaker({}, { workers: 2 }), async (context) => {
  const { client, upstream, gateway, clock } = context;
  const other = await gateway.beside(1);
  const factory = new ClientFactory(other.port, other.scheme === 'https', '');
  try {
    const script = scripted(upstream, ERROR);
    const neighbour = await factory.connect();
    const ask = async () => (await statuses(neighbour, 1))[0];
    assert.deepEqual(await statuses(client, 3), [500, 500, 500]);
    assert.deepEqual([await ask(), await ask(), await ask()], [500, 500, 503]);
    assert.deepEqual(await statuses(client, 1), [503]);
    assert.deepEqual([events(context), other.logLines.length], [[], 1]);
    await clock.advance(60_000);
    other.plane.tick();
    script.reply = ok('well');
    assert.deepEqual([...(await statuses(client, 1)), await ask(), await ask()], [200, 200, 200]);
    assert.deepEqual(await statuses(client, 1), [200]);
  } finally {
    other.plane.close();
    for (const each of factory.clients) await each.dispose();
  }
});

wire('a reload keeps what a breaker is, and its new settings hold at once', withBreaker(), async (context) => {
  const { client, upstream, gateway, clock } = context;
  const script = scripted(upstream, ERROR);
  await statuses(client, 5);
  const change = (settings: object) => {
    gateway.prepare({ upstreamPorts: [upstream.port], backend: { circuit_breaker: settings } });
    gateway.plane.commit();
  };
  change({ success_threshold: 1 });
  assert.deepEqual(await statuses(client, 1), [503]);
  await clock.advance(60_000);
  script.reply = ok('well');
  assert.deepEqual(await statuses(client, 1), [200]);
  assert.equal(events(context).at(-1), 'info breaker-closed');
  script.reply = ERROR;
  change({ failure_threshold: 1 });
  assert.deepEqual(await statuses(client, 2), [500, 503]);
  change({ enabled: false });
  assert.deepEqual(await statuses(client, 9), Array(9).fill(500));
});

wire(
  'in a panic an open breaker is sent requests all the same',
  withBreaker({}, { backend: { panic_threshold: 0.6, circuit_breaker: {} }, upstreams: 2 }),
  async (context) => {
    const { client, upstreams } = context;
    const [bad, good] = upstreams.map((each, index) => scripted(each, index === 0 ? ERROR : ok('well')));
    await statuses(client, 40);
    assert.deepEqual([bad?.requests, good?.requests], [20, 20]);
    assert.deepEqual(events(context), ['warn breaker-opened']);
  },
);

const SHORT = { path: '/short', timeout: '1s', retries: 0 };
const toShort = GET.replace('/x', '/short');

wire(
  'a deadline that passes while the upstream is silent opens the breaker',
  withBreaker({ failure_threshold: 2 }, { routes: [SHORT, {}] }),
  async ({ client, upstream, clock }) => {
    for (let request = 0; request < 2; request++) {
      await client.send(toShort);
      await (await upstream.accept()).expectRequest();
      await clock.advance(1200);
      await client.expectStatus(504);
    }
    await client.send(GET);
    await client.expectReply({ status: 503, body: /no_upstream/ });
  },
);

wire(
  'a deadline that the queue has used up opens no breaker',
  withBreaker(
    {},
    {
      routes: [SHORT, {}],
      upstream: { max_connections: 1 },
      backend: { queue: { timeout: '5s' }, circuit_breaker: { failure_threshold: 1 } },
    },
  ),
  async ({ client, upstream, clock }) => {
    const busy = await client.connect();
    await busy.send(GET);
    const connection = await upstream.accept();
    await connection.expectRequest();
    await client.send(toShort);
    await clock.advance(900);
    await connection.send(ok('busy'));
    await busy.expectReply({ body: 'busy' });
    await connection.expectRequest({ target: '/short' });
    await clock.advance(300);
    await client.expectStatus(504);
    upstream.answerAll(() => ok('well'));
    await client.send(GET);
    await client.expectReply({ status: 200, body: 'well' });
  },
);

wire(
  'a deadline that another upstream and the pause before a retry have used up opens no breaker',
  withBreaker(
    {},
    {
      routes: [{ ...SHORT, timeout: '2s', retries: 1 }, {}],
      upstreams: 2,
      backend: { retry_backoff: { initial: '400ms', max: '400ms' }, circuit_breaker: { failure_threshold: 1 } },
    },
  ),
  async (context) => {
    const { client, upstreams, clock } = context;
    const [failing, other] = upstreams as [WireUpstream, WireUpstream];
    await client.send(toShort);
    const lost = await failing.accept();
    await lost.expectRequest();
    await clock.advance(800);
    lost.reset();
    await settle();
    const tried = other.accept();
    await clock.advanceUntil(tried, 800);
    await (await tried).expectRequest();
    await clock.advance(1500);
    await client.expectStatus(504);
    other.answerAll(() => ok('well'));
    await client.send(GET);
    await client.expectReply({ status: 200, body: 'well' });
    assert.deepEqual(events(context), ['warn breaker-opened']);
  },
);

wire(
  'a deadline that the upload has used up opens no breaker',
  withBreaker({ failure_threshold: 1 }, { routes: [SHORT, {}] }),
  async ({ client, upstream, clock }) => {
    await client.send(`${POST.replace('/x', '/short')}ab`);
    const connection = await upstream.accept();
    await clock.advance(900);
    await client.send('cd');
    await connection.expectRequest({ body: 'abcd' });
    await clock.advance(300);
    await client.expectStatus(504);
    upstream.answerAll(() => ok('well'));
    await client.send(GET);
    await client.expectReply({ status: 200, body: 'well' });
  },
);
