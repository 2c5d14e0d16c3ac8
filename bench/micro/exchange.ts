/**
 * One whole exchange without sockets: the request's bytes come in, are decoded, routed and written anew for the upstream,
 * and the reply takes the way back. What is left out is the system's part, so this is what a request costs in user time.
 */
import { bench, do_not_optimize, run } from 'mitata';
import { monotonicClock } from '../../src/base/clock.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { HttpDate } from '../../src/http/date.ts';
import { RequestIdGenerator } from '../../src/http/request-id.ts';
import { createSharedMemory, SharedCount, slotsOf } from '../../src/memory/shared-memory.ts';
import type { ByteReceiver, Connection } from '../../src/net/connection.ts';
import { H1Downstream } from '../../src/net/h1-downstream.ts';
import { IoContext } from '../../src/net/io-context.ts';
import type { Transport } from '../../src/net/transport.ts';
import { buildGeneration } from '../../src/pipeline/build-generation.ts';
import { compileConfig } from '../../src/pipeline/compiled-config.ts';
import { Exchange, type PipelineServices } from '../../src/pipeline/exchange.ts';
import { BROWSER_REQUEST, SMALL_REPLY } from '../sample-messages.ts';

const CLIENTS = 64;
const CONFIG = JSON.stringify({
  server: { http_addr: '127.0.0.1:8080' },
  load_balancing: { backends: { origin: { upstreams: [{ address: '127.0.0.1:8081' }] } } },
  routes: [{ path: '/**', backend: 'origin' }],
  access_log: { enabled: false },
});

const io = new IoContext(monotonicClock, (error) => {
  throw error;
});

/** A connection whose peer takes everything at once. */
class MemoryConnection implements Connection {
  readonly handshaking = false;
  readonly certificateSubject: string | null = null;
  static readonly #sink = Buffer.alloc(64 * 1024);
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly localAddress = '192.0.2.1';
  readonly localPort = 8080;
  readonly alive = true;
  readonly pendingBytes = 0;
  readonly untakenBytes = 0;
  /** How much was written last. */
  takenBytes = 0;

  writeText(text: string): void {
    // Strings are put together when they are written: the copy belongs to what is measured.
    this.takenBytes = MemoryConnection.#sink.write(text, 'latin1');
  }

  writeBytes(): void {
    throw new Error('no message here is large enough for that');
  }

  pause(): void {}
  resume(): void {}
  endWriting(): void {}
  destroy(): void {}
  reset(): void {}
}

/** The upstream's side of the connection that was opened last. */
let upstreamSide: ByteReceiver | null = null;

const transport: Transport = {
  name: 'plain',
  createServer: () => {
    throw new Error('nobody listens here');
  },
  adopt: () => {
    throw new Error('nobody is accepted here');
  },
  connect: (_io, _target, receiver) => {
    upstreamSide = receiver;
    return new MemoryConnection();
  },
};

const { config } = parseConfig(CONFIG, { file: 'bench.yaml', format: 'yaml', env: {} });
const shared = createSharedMemory(config, 1);
const environment = {
  allSockets: SharedCount.sockets(shared, 0),
  maxSockets: Number.POSITIVE_INFINITY,
  io,
  transport,
  maxHeadBytes: config.server.maxHeaderBytes,
  log: { info: () => {}, warn: () => {} },
  random: Math.random,
  outOfDescriptors: () => {},
};
const plan = {
  compiled: compileConfig(config),
  slots: slotsOf(shared, config),
  row: 0,
  tls: { server: null, upstreams: [] },
  httpsPort: null,
  createMiddleware: () => [],
};
const { generation } = buildGeneration(plan, environment);
const free: Exchange[] = [];
const date = new HttpDate();

const services: PipelineServices = {
  wheel: io.wheel,
  requestIds: new RequestIdGenerator(),
  generation,
  get nowMs() {
    return io.eventMs;
  },
  get date() {
    return date.text;
  },
  exchangeFinished(exchange) {
    exchange.clear();
    free.push(exchange);
  },
  fault(error) {
    throw error;
  },
  middlewareFailed(_name, error) {
    throw error;
  },
  settle() {
    io.settle();
  },
};

interface Client {
  readonly downstream: H1Downstream;
  readonly connection: MemoryConnection;
}

function connectClient(): Client {
  const downstream = new H1Downstream(io, {
    limits: generation.limits,
    draining: false,
    takeListener: () => free.pop() ?? new Exchange(services, generation.maxHeaders),
    returnListener: () => {},
    connectionClosed: () => {},
  });
  const connection = new MemoryConnection();
  downstream.open(connection);
  return { downstream, connection };
}

/** Bytes arrive as they do from a socket: in the shared buffer. */
function deliver(receiver: ByteReceiver, bytes: Buffer): void {
  const { shared } = io.buffers;
  bytes.copy(shared);
  receiver.received(shared, 0, bytes.length);
  io.settle();
}

const clients = Array.from({ length: CLIENTS }, connectClient);

// The first request opens the one connection to the upstream, which all later ones use in turn.
deliver((clients[0] as Client).downstream, BROWSER_REQUEST);
// Sound: sending the request has just opened it.
const upstream = upstreamSide as unknown as ByteReceiver;
upstream.connected();
deliver(upstream, SMALL_REPLY);

let next = 0;

function exchange(): number {
  next = (next + 1) % CLIENTS;
  const { downstream, connection } = clients[next] as Client;
  deliver(downstream, BROWSER_REQUEST);
  deliver(upstream, SMALL_REPLY);
  return connection.takenBytes;
}

if (exchange() < SMALL_REPLY.length) throw new Error('the reply did not come through');
bench('one exchange, head to tail', () => do_not_optimize(exchange()));

await run();
