/** Photon without sockets, threads and files: bytes go in, and out comes what would be written. */
import { monotonicClock } from '../src/base/clock.ts';
import { parseConfig } from '../src/config/parse-config.ts';
import { HttpDate } from '../src/http/date.ts';
import { RequestIdGenerator } from '../src/http/request-id.ts';
import { createSharedMemory, SharedCount, slotsOf } from '../src/memory/shared-memory.ts';
import { createTokenBuckets, TokenBuckets } from '../src/memory/token-buckets.ts';
import { createMiddleware } from '../src/middleware/catalog.ts';
import { CONTENT_CODINGS } from '../src/middleware/compress/content-coding.ts';
import type { MiddlewareContext } from '../src/middleware/middleware-context.ts';
import type { ByteReceiver, Connection } from '../src/net/connection.ts';
import { H1Downstream } from '../src/net/h1-downstream.ts';
import { IoContext } from '../src/net/io-context.ts';
import type { Transport } from '../src/net/transport.ts';
import { AttemptPool } from '../src/pipeline/attempt-pool.ts';
import { buildGeneration, type MiddlewareFactory } from '../src/pipeline/build-generation.ts';
import { compileConfig } from '../src/pipeline/compiled-config.ts';
import { Exchange, type PipelineServices } from '../src/pipeline/exchange.ts';
import type { Generation } from '../src/pipeline/generation.ts';
import { RateLimitCounts } from '../src/telemetry/rate-limit-counts.ts';
import type { MiddlewareWish } from './bench.ts';

const CLIENTS = 64;

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
  endsMessage = false;
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

interface Client {
  readonly downstream: H1Downstream;
  readonly connection: MemoryConnection;
}

/** A gateway of one route, and some clients, each with one request at a time. */
export class MemoryGateway {
  readonly #io = new IoContext(monotonicClock, raise);
  readonly #free: Exchange[] = [];
  readonly #clients: readonly Client[];
  /** The upstream's side of the one connection to it, which all exchanges use in turn. */
  #upstream: ByteReceiver | null = null;
  #next = 0;

  constructor(middleware: MiddlewareWish = { names: [], block: {} }) {
    const generation = this.#generation(middleware);
    const services = this.#services(generation);
    this.#clients = Array.from({ length: CLIENTS }, () => this.#connectClient(generation, services));
  }

  /** One request and, when it comes to the upstream, `reply`. @returns how many bytes were written to the client last */
  exchange(request: Buffer, reply: Buffer): number {
    this.#next = (this.#next + 1) % CLIENTS;
    const { downstream, connection } = this.#clients[this.#next] as Client;
    connection.takenBytes = 0;
    const isFirst = this.#upstream === null;
    this.#deliver(downstream, request);
    if (isFirst) this.#upstream?.connected();
    if (connection.takenBytes === 0 && this.#upstream !== null) this.#deliver(this.#upstream, reply);
    return connection.takenBytes;
  }

  /** Bytes arrive as they do from a socket: in the shared buffer. */
  #deliver(receiver: ByteReceiver, bytes: Buffer): void {
    const { shared } = this.#io.buffers;
    bytes.copy(shared);
    receiver.received(shared, 0, bytes.length);
    this.#io.settle();
  }

  #generation({ names, block }: MiddlewareWish): Generation {
    const { config } = parseConfig(JSON.stringify(documentOf(names, block)), {
      ...{ file: 'bench.json', format: 'json', env: {} },
    });
    const shared = createSharedMemory(config, 1);
    const middlewareContext = this.#middlewareContext();
    const plan = {
      ...{ compiled: compileConfig(config), configuration: 1, slots: slotsOf(shared, config), row: 0, httpsPort: null },
      tls: { server: null, upstreams: [] },
      createMiddleware: ((entry, route) =>
        createMiddleware(entry, route, middlewareContext)) satisfies MiddlewareFactory,
    };
    const context = {
      ...{ io: this.#io, transport: this.#transport(), log: SILENT, random: Math.random },
      ...{ allSockets: SharedCount.sockets(shared, 0), maxSockets: Number.POSITIVE_INFINITY },
      maxHeadBytes: config.server.maxHeaderBytes,
      outOfDescriptors: () => {},
    };
    return buildGeneration(plan, context).generation;
  }

  #middlewareContext(): MiddlewareContext {
    return {
      ...{ custom: new Map(), log: SILENT, rateLimitCounts: new RateLimitCounts() },
      contentCodings: CONTENT_CODINGS,
      nowMs: () => this.#io.eventMs,
      unixMs: () => performance.timeOrigin + this.#io.eventMs,
      keySets: { current: () => null, mayBeOld: () => false, renew: () => null },
      userFiles: [],
      passwords: { isKnown: () => false, check: () => raise('nobody has a password here') },
      buckets: new TokenBuckets(createTokenBuckets(1000, monotonicClock.nowMs())),
    };
  }

  #transport(): Transport {
    return {
      name: 'plain',
      createServer: () => raise('nobody listens here'),
      adopt: () => raise('nobody is accepted here'),
      connect: (_io, _target, receiver) => {
        this.#upstream = receiver;
        return new MemoryConnection();
      },
    };
  }

  #services(generation: Generation): PipelineServices {
    const io = this.#io;
    const free = this.#free;
    const date = new HttpDate();
    return {
      ...{
        wheel: io.wheel,
        requestIds: new RequestIdGenerator(),
        random: Math.random,
        generation,
        attempts: new AttemptPool(),
      },
      ...{
        fault: raise,
        middlewareFailed: (_hook: unknown, error: unknown) => raise(error),
        settle: () => io.settle(),
      },
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
    };
  }

  #connectClient(generation: Generation, services: PipelineServices): Client {
    const downstream = new H1Downstream(this.#io, {
      ...{ limits: generation.limits, draining: false },
      takeListener: () => this.#free.pop() ?? new Exchange(services, generation.maxHeaders),
      returnListener: () => {},
      connectionClosed: () => {},
    });
    const connection = new MemoryConnection();
    downstream.open(connection);
    return { downstream, connection };
  }
}

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

function raise(error: unknown): never {
  throw error instanceof Error ? error : new Error(String(error));
}

function documentOf(names: readonly string[], block: object): object {
  return {
    server: { http_addr: '127.0.0.1:8080', middleware: names },
    load_balancing: { backends: { origin: { upstreams: [{ address: '127.0.0.1:8081' }] } } },
    middleware: block,
    routes: [{ path: '/**', backend: 'origin' }],
    access_log: { enabled: false },
  };
}
