import assert from 'node:assert/strict';
import { UpstreamState } from '../../src/memory/upstream-state.ts';
import { ok, type WireUpstream } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

const STICKY = { upstreams: 3, backend: { sticky: { cookie: 'at', ttl: '1h' } } };

interface Answer {
  readonly number: number;
  /** The value of the cookie that was set; null where none was. */
  readonly cookie: string | null;
}

function answerWithNumbers(upstreams: readonly WireUpstream[], ...fieldLines: readonly string[]): void {
  for (const [number, upstream] of upstreams.entries()) upstream.answerAll(() => ok(String(number), ...fieldLines));
}

async function ask({ client }: WireContext, cookie: string | null): Promise<Answer> {
  await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${cookie === null ? '' : `Cookie: x=y; at=${cookie}\r\n`}\r\n`);
  const { body, fields } = await client.expectReply({ status: 200 });
  const line = fields.get('set-cookie');
  if (line === null) return { number: Number(body), cookie: null };
  const match = /^at=([A-Za-z0-9_-]{16}); Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/.exec(line);
  assert.ok(match !== null, line);
  return { number: Number(body), cookie: match[1] as string };
}

wire('a client gets a cookie once, and stays with the upstream that it names', STICKY, async (context) => {
  answerWithNumbers(context.upstreams);
  for (let client = 0; client < 3; client++) {
    const first = await ask(context, null);
    assert.equal(first.number, client, 'clients without a cookie take turns');
    for (let turn = 0; turn < 4; turn++) {
      assert.deepEqual(await ask(context, first.cookie), { number: client, cookie: null });
    }
  }
});

wire('a client stays through a reload, with other upstreams beside its own', STICKY, async (context) => {
  const { gateway, upstreams } = context;
  answerWithNumbers(upstreams);
  await ask(context, null);
  const { number, cookie } = await ask(context, null);
  assert.equal(number, 1);
  const [first, second] = upstreams.map(({ port }) => port) as [number, number];
  gateway.prepare({ upstreamPorts: [first, second], backend: { ...STICKY.backend, algorithm: 'random' } });
  gateway.plane.commit();
  for (let turn = 0; turn < 10; turn++) assert.deepEqual(await ask(context, cookie), { number: 1, cookie: null });
});

wire('a client whose upstream is gone gets another one, and its cookie', STICKY, async (context) => {
  const { gateway, upstreams } = context;
  answerWithNumbers(upstreams);
  await ask(context, null);
  await ask(context, null);
  const { number, cookie } = await ask(context, null);
  assert.equal(number, 2);
  gateway.prepare({ upstreamPorts: upstreams.slice(0, 2).map(({ port }) => port) });
  gateway.plane.commit();
  const moved = await ask(context, cookie);
  assert.notEqual(moved.number, 2);
  assert.ok(moved.cookie !== null && moved.cookie !== cookie);
  assert.deepEqual(await ask(context, moved.cookie), { number: moved.number, cookie: null });
});

wire('a client whose upstream is down moves on, and back only if it keeps its old cookie', STICKY, async (context) => {
  answerWithNumbers(context.upstreams);
  const { cookie } = await ask(context, null);
  const state = new UpstreamState({ memory: context.gateway.shared, number: 0 });
  state.setHealthy(false, 0);
  const moved = await ask(context, cookie);
  assert.ok(moved.number !== 0 && moved.cookie !== null);
  state.setHealthy(true, 0);
  assert.deepEqual(await ask(context, moved.cookie), { number: moved.number, cookie: null });
  assert.deepEqual(await ask(context, cookie), { number: 0, cookie: null });
});

wire('a cookie that names nobody is ignored and replaced, and never an error', STICKY, async (context) => {
  answerWithNumbers(context.upstreams);
  for (const nonsense of ['', '=', '"', '%00', 'x'.repeat(5000), '127.0.0.1:80', '\xff\xfe', 'a; at=b; at']) {
    const { cookie } = await ask(context, nonsense);
    assert.ok(cookie !== null, nonsense);
  }
});

wire("the upstream gets the client's cookies, and its own are passed on beside ours", STICKY, async (context) => {
  const { client, upstreams } = context;
  for (const upstream of upstreams) {
    upstream.answerAll(({ fields }) => ok(fields.get('cookie') ?? '', 'Set-Cookie: own=1'));
  }
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nCookie: x=y; at=z\r\n\r\n');
  const { fields } = await client.expectReply({ body: 'x=y; at=z' });
  const lines = fields.all('set-cookie');
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.ok(lines.includes('own=1') && lines.some((line) => line.startsWith('at=')));
});

wire('a reply that the gateway makes itself sets no cookie', STICKY, async ({ client, upstreams }) => {
  for (const upstream of upstreams) await upstream.refuse();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { fields } = await client.expectReply({ status: 502 });
  assert.equal(fields.get('set-cookie'), null);
});

wire('without sticky sessions no cookie is set', { upstreams: 1 }, async (context) => {
  answerWithNumbers(context.upstreams);
  assert.deepEqual(await ask(context, null), { number: 0, cookie: null });
});
