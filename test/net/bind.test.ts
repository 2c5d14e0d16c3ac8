import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Binder } from '../../src/net/bind.ts';
import { BindError, type Binding, formatAddress } from '../../src/net/binding.ts';

async function bindFor(t: TestContext, host: string, port = 0): Promise<readonly Binding[]> {
  const bindings = await new Binder().bind({ host, port, path: null, text: `${host}:${port}` });
  t.after(() => {
    for (const binding of bindings) {
      binding.release();
    }
  });
  return bindings;
}

const IP_LITERALS = [
  { host: '127.0.0.1', shown: /^127\.0\.0\.1:\d+$/, why: 'IPv4' },
  { host: '', shown: /^(\[::\]|0\.0\.0\.0):\d+$/, why: 'every address' },
];

for (const { host, shown, why } of IP_LITERALS) {
  test(`port 0 on "${host}" is settled when it is bound (${why})`, async (t) => {
    const [binding] = await bindFor(t, host);
    assert.match(formatAddress(binding!.address), shown);
    assert.notEqual(binding!.address.port, 0);
  });
}

test('a name is bound on all of its addresses that the machine has, on one port', async (t) => {
  const bindings = await bindFor(t, 'localhost');
  assert.ok(bindings.length >= 1);
  assert.equal(new Set(bindings.map(({ address }) => address.port)).size, 1);
  for (const { address } of bindings) {
    assert.match(address.host, /^(127\.0\.0\.1|::1)$/);
  }
});

test('connections are spread over the sockets of all rows, and none waits at the reservation', async (t) => {
  const [binding] = await bindFor(t, '127.0.0.1');
  const accepted = [0, 0];
  for (const row of [0, 1]) {
    const server = createServer((socket) => {
      accepted[row]! += 1;
      socket.end();
    });
    server.listen(binding!.sourceFor(row));
    await once(server, 'listening');
    t.after(() => server.close());
  }
  for (let count = 0; count < 64; count += 1) {
    const socket = connect(binding!.address.port, '127.0.0.1').resume();
    await once(socket, 'close');
  }
  assert.equal(accepted[0]! + accepted[1]!, 64);
  assert.ok(Math.min(...accepted) > 0, `both accept: ${accepted}`);
});

test('an address that somebody listens on with SO_REUSEPORT is in use all the same', async (t) => {
  const [binding] = await bindFor(t, '127.0.0.1');
  const server = createServer().listen(binding!.sourceFor(0));
  await once(server, 'listening');
  t.after(() => server.close());
  await assert.rejects(bindFor(t, '127.0.0.1', binding!.address.port), {
    name: 'BindError',
    code: 'EADDRINUSE',
    message: `Cannot listen on 127.0.0.1:${binding!.address.port}: the address is in use`,
  });
});

test('nobody listens before a worker does, so that no client comes who would be sent away', async (t) => {
  const listen = t.mock.method(Server.prototype, 'listen');
  const [binding] = await bindFor(t, '127.0.0.1');
  assert.equal(listen.mock.callCount(), 0);
  const socket = connect(binding!.address.port, '127.0.0.1');
  await assert.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' });
});

test('a socket file that a killed process left behind is replaced; one that answers is in use', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'photon-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'photon.sock');
  const wanted = { host: '', port: 0, path, text: `unix:${path}` };
  const server = createServer().listen(`${path}.first`);
  await once(server, 'listening');
  // Node removes the file under the name it was made with, so this one stays, as after a kill.
  renameSync(`${path}.first`, path);
  await assert.rejects(new Binder().bind(wanted), BindError);
  assert.ok(existsSync(path), 'the other server keeps its file');
  server.close();
  await once(server, 'close');
  assert.ok(existsSync(path));
  const [binding] = await new Binder().bind(wanted);
  assert.deepEqual(binding?.sourceFor(0), { path });
  assert.equal(binding?.sourceFor(1), null);
});
