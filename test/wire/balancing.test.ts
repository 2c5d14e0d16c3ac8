import assert from 'node:assert/strict';
import { UpstreamState } from '../../src/memory/upstream-state.ts';
import { eventually } from '../support/guard.ts';
import { ok, type WireUpstream } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

/** Every upstream answers with its number. */
function answerWithNumbers(upstreams: readonly WireUpstream[]): void {
  for (const [number, upstream] of upstreams.entries()) upstream.answerAll(() => ok(String(number)));
}

/** Asks on the one connection of the client; the number of the upstream that answered. */
async function ask({ client }: WireContext, path = '/', ...fieldLines: readonly string[]): Promise<number> {
  await client.send(
    ['GET ', path, ' HTTP/1.1\r\nHost: a\r\n', ...fieldLines.map((line) => `${line}\r\n`), '\r\n'].join(''),
  );
  const { body } = await client.expectReply({ status: 200 });
  return Number(body);
}

async function askMany(context: WireContext, count: number, pathOf = (_turn: number) => '/'): Promise<number[]> {
  const answered: number[] = [];
  for (let turn = 0; turn < count; turn++) answered.push(await ask(context, pathOf(turn)));
  return answered;
}

const timesOf = (numbers: readonly number[], number: number) => numbers.filter((each) => each === number).length;

/** What the health checks would say. */
function setHealthy({ gateway: { shared } }: WireContext, number: number, healthy: boolean): void {
  new UpstreamState({ memory: shared, number }).setHealthy(healthy, 0);
}

for (const algorithm of ['round_robin', 'weighted_round_robin']) {
  wire(
    `${algorithm} takes turns by weight`,
    { upstreams: 3, weights: [2, 1, 0], backend: { algorithm } },
    async (context) => {
      answerWithNumbers(context.upstreams);
      assert.deepEqual(await askMany(context, 6), [0, 1, 0, 0, 1, 0]);
      context.upstreams[2]?.expectNoConnection();
    },
  );
}

for (const algorithm of ['random', 'power_of_two']) {
  wire(
    `${algorithm} uses everybody who has a weight`,
    { upstreams: 3, weights: [1, 1, 0], backend: { algorithm } },
    async (context) => {
      answerWithNumbers(context.upstreams);
      const answered = await askMany(context, 100);
      assert.ok(timesOf(answered, 0) > 10 && timesOf(answered, 1) > 10, answered.join(''));
      context.upstreams[2]?.expectNoConnection();
    },
  );
}

for (const algorithm of ['least_connections', 'power_of_two']) {
  wire(`${algorithm} avoids an upstream that is busy`, { upstreams: 2, backend: { algorithm } }, async (context) => {
    const { client, upstreams } = context;
    const busy = await client.connect();
    await busy.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    const counts = () => upstreams.map(({ connectionCount }) => connectionCount);
    await eventually(
      'the slow request',
      () => Math.max(...counts()) > 0,
      () => counts().join(),
    );
    const number = counts().findIndex((count) => count > 0);
    const slow = await (upstreams[number] as WireUpstream).accept();
    await slow.expectRequest({ target: '/slow' });
    const other = upstreams[1 - number] as WireUpstream;
    other.answerAll(() => ok(String(1 - number)));
    for (let turn = 0; turn < 20; turn++) assert.equal(await ask(context), 1 - number);
    await slow.send(ok('at last'));
    await busy.expectReply({ body: 'at last' });
  });
}

wire(
  'least_connections avoids nobody when nobody is busy',
  { upstreams: 2, backend: { algorithm: 'least_connections' } },
  async (context) => {
    answerWithNumbers(context.upstreams);
    const answered = await askMany(context, 60);
    assert.ok(timesOf(answered, 0) > 5 && timesOf(answered, 1) > 5, answered.join(''));
  },
);

wire(
  'ip_hash keeps a client with its upstream, and tells clients behind a trusted proxy apart',
  { upstreams: 3, backend: { algorithm: 'ip_hash', key: 'path' }, server: { trusted_proxies: ['127.0.0.1'] } },
  async (context) => {
    answerWithNumbers(context.upstreams);
    const seen = new Set<number>();
    for (let last = 0; last < 30; last++) {
      const ofClient = new Set<number>();
      for (const address of [`2001:db8::${last}`, `2001:DB8:0:0::${last}`]) {
        ofClient.add(await ask(context, `/${last}/${address.length}`, `X-Forwarded-For: ${address}`));
      }
      assert.equal(ofClient.size, 1);
      for (const number of ofClient) seen.add(number);
    }
    assert.equal(seen.size, 3);
  },
);

for (const { key, lineOf } of [
  { key: 'header:X-User', lineOf: (user: string) => `x-USER: ${user}` },
  { key: 'cookie:user', lineOf: (user: string) => `Cookie: a=b; user=${user}` },
]) {
  wire(
    `consistent_hash by ${key} keeps a user with an upstream, and moves on while that is down`,
    { upstreams: 3, backend: { algorithm: 'consistent_hash', key } },
    async (context) => {
      answerWithNumbers(context.upstreams);
      const users = Array.from({ length: 30 }, (_none, number) => `user-${number}`);
      const askAll = async () => {
        const numbers: number[] = [];
        for (const user of users) numbers.push(await ask(context, `/${numbers.length}`, lineOf(user)));
        return numbers;
      };
      const before = await askAll();
      assert.equal(new Set(before).size, 3);
      assert.deepEqual(await askAll(), before);
      setHealthy(context, 1, false);
      const meanwhile = await askAll();
      assert.ok(before.every((number, at) => (number === 1 ? meanwhile[at] !== 1 : meanwhile[at] === number)));
      setHealthy(context, 1, true);
      assert.deepEqual(await askAll(), before);
    },
  );
}

wire(
  'consistent_hash by path sends every path where it went before a reload',
  { upstreams: 3, backend: { algorithm: 'consistent_hash', key: 'path' } },
  async (context) => {
    answerWithNumbers(context.upstreams);
    const askPaths = () => askMany(context, 30, (turn) => `/items/${turn}?x=${Math.random()}`);
    const before = await askPaths();
    assert.equal(new Set(before).size, 3);
    context.gateway.prepare({ server: { max_headers: 50 } });
    context.gateway.plane.commit();
    assert.deepEqual(await askPaths(), before);
  },
);
