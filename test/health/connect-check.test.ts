import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ConnectCheck } from '../../src/control/health/connect-check.ts';
import type { ConnectTarget } from '../../src/net/connection.ts';
import { IoContext } from '../../src/net/io-context.ts';
import { ManualClock } from '../support/manual-clock.ts';

const targetOf = (port: number): ConnectTarget => ({
  host: '127.0.0.1',
  port,
  ...{ alternative: null, path: null, tls: null, keepAlive: { enabled: false, idleMs: 0 } },
});

/** What a check says, in order; `over` resolves with its end. */
function begin(port: number, faults: unknown[] = []) {
  const said: (string | null)[] = [];
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const io = new IoContext(new ManualClock(), (error) => faults.push(error));
  const check = new ConnectCheck(io, targetOf(port), {
    checkJudged: (failure) => said.push(failure ?? 'well'),
    checkOver: (ending) => {
      said.push(ending);
      resolve();
    },
  });
  return { check, said, over };
}

async function server(t: TestContext): Promise<{ readonly port: number; readonly gone: Promise<unknown> }> {
  const listening = createServer().listen(0, '127.0.0.1');
  t.after(() => listening.close());
  await once(listening, 'listening');
  const gone = once(listening, 'connection').then(([socket]) => once(socket.resume(), 'close'));
  return { port: (listening.address() as AddressInfo).port, gone };
}

test('who accepts is well, and the connection is closed', async (t) => {
  const { port, gone } = await server(t);
  const { said, over } = begin(port);
  await over;
  assert.deepEqual(said, ['well', 'closed']);
  await gone;
});

test('who refuses is not, and the reason is told', async () => {
  const { said, over } = begin(1);
  await over;
  assert.deepEqual(said, ['no connection (ECONNREFUSED)', 'closed']);
});

test('whoever has not accepted when time is over has failed, and is told of once', async (t) => {
  const { check, said, over } = begin((await server(t)).port);
  check.expire(250);
  await over;
  assert.deepEqual(said, ['no connection within 250 ms', 'closed']);
});

test('of a check that is abandoned nothing is said', async (t) => {
  const { port } = await server(t);
  const { check, said } = begin(port);
  check.abandon();
  // Begun later, and over later.
  await begin(port).over;
  assert.deepEqual(said, []);
});

for (const code of ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']) {
  test(`a connection that cannot be made for want of our own (${code}) says nothing about the upstream`, async (t) => {
    const { check, said } = begin((await server(t)).port);
    check.closed(code);
    assert.deepEqual(said, ['starved']);
    check.abandon();
  });
}

test('a throw of whoever listens ends the connection, and is reported', async (t) => {
  const { port, gone } = await server(t);
  const faults: unknown[] = [];
  const io = new IoContext(new ManualClock(), (error) => faults.push(error));
  const broken = () => {
    throw new Error('broken');
  };
  new ConnectCheck(io, targetOf(port), { checkJudged: broken, checkOver: broken });
  await gone;
  assert.match(String(faults[0]), /broken/);
});
