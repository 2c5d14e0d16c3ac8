import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { settle } from './guard.ts';

/** An address where connection attempts are neither accepted nor refused. */
export interface UnresponsiveUpstream {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A thread listens with the shortest accept queue and then never runs its event loop again. Once the queue is full,
 * the kernel drops further SYNs, as an overloaded or filtered server does.
 */
const UNRESPONSIVE_THREAD = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

export async function listenUnresponsive(): Promise<UnresponsiveUpstream> {
  const thread = new Worker(UNRESPONSIVE_THREAD, { eval: true });
  const [port] = (await once(thread, 'message')) as [number];
  const fillers = await fillAcceptQueue(port);
  return {
    port,
    async close() {
      for (const filler of fillers) filler.destroy();
      await thread.terminate();
    },
  };
}

/** Connects until an attempt stays without an answer; on loopback one that is going to succeed does so at once. */
async function fillAcceptQueue(port: number): Promise<Socket[]> {
  const fillers: Socket[] = [];
  for (let unanswered = 0; unanswered < 3; ) {
    const filler = connect({ host: '127.0.0.1', port });
    filler.on('error', () => {});
    fillers.push(filler);
    await settle(20);
    if (filler.connecting) unanswered++;
  }
  return fillers;
}
