import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { monotonicClock } from '../../src/base/clock.ts';
import { IoContext } from '../../src/net/io-context.ts';
import { createOnreadTransport } from '../../src/net/onread-transport.ts';
import { createPlainTransport } from '../../src/net/plain-transport.ts';
import { type Sockets, systemSockets } from '../../src/net/sockets.ts';
import { streamHandlesSupported } from '../../src/net/stream-handle.ts';
import { Recorder, tcpTarget } from '../contract/transport-bench.ts';

for (const create of streamHandlesSupported ? [createOnreadTransport, createPlainTransport] : [createPlainTransport]) {
  test(`${create(systemSockets).name}: a transport opens its sockets where it is told to`, async () => {
    const opened: string[] = [];
    const sockets: Sockets = {
      connect(options) {
        opened.push('socket');
        return systemSockets.connect(options);
      },
      createServer(options, accept) {
        opened.push('server');
        return systemSockets.createServer(options, accept);
      },
    };
    const transport = create(sockets);
    const io = new IoContext(monotonicClock, (error) => assert.fail(String(error)));
    const server = transport.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const heard = new Recorder();
    const ours = transport.connect(io, tcpTarget((server.address() as AddressInfo).port), heard);
    await heard.until('connected');
    ours.destroy();
    await heard.untilClosed();
    server.close();
    assert.deepEqual(opened, ['server', 'socket']);
  });
}
