import { after } from 'node:test';
import { createOnreadTransport } from '../../src/net/onread-transport.ts';
import { createPlainTransport } from '../../src/net/plain-transport.ts';
import { streamHandlesSupported } from '../../src/net/stream-handle.ts';
import { FakeSockets } from '../simulation/net/fake-sockets.ts';
import { Network } from '../simulation/net/network.ts';
import { World } from '../simulation/world.ts';
import { transportContract } from './transport.ts';

/** Simulated time passes with each turn of the real loop, on which the tests wait. */
const world = new World(1);
const network = new Network(world);
let isOver = false;
setImmediate(pass);

function pass(): void {
  world.run(world.nowMs + 1, 100_000);
  if (!isOver) setImmediate(pass);
}

after(() => {
  isOver = true;
});

const sockets = new FakeSockets({ world, network, row: 0, host: '127.0.0.1', nameOf: (port) => `127.0.0.1:${port}` });

if (streamHandlesSupported) transportContract(createOnreadTransport(sockets), sockets);
transportContract(createPlainTransport(sockets), sockets);
