import assert from 'node:assert/strict';
import type { PhotonError } from '../../src/base/errors.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { RequestIdGenerator } from '../../src/http/request-id.ts';
import { SharedCount, type SharedMemory, slotsOf } from '../../src/memory/shared-memory.ts';
import type { TimerWheel } from '../../src/net/timer-wheel.ts';
import { AttemptPool } from '../../src/pipeline/attempt-pool.ts';
import type { GenerationPlan } from '../../src/pipeline/build-generation.ts';
import { compileConfig } from '../../src/pipeline/compiled-config.ts';
import { Exchange, type PipelineServices } from '../../src/pipeline/exchange.ts';
import type { Generation } from '../../src/pipeline/generation.ts';
import type { Middleware } from '../../src/pipeline/middleware.ts';
import type { CircuitBreaker } from '../../src/upstream/circuit-breaker.ts';
import type { UpstreamContext } from '../../src/upstream/upstream.ts';
import type { MemoryNet } from '../net/memory-connection.ts';

/**
 * A client, the pipeline and an upstream, whatever protocol is between them:
 *
 *   scene.client  <==>  [ downstream stream | Exchange | upstream stream ]  <==>  scene.upstream()
 */
export interface Scene {
  readonly client: ClientSide;
  /** The upstream's side of the exchange that was sent last. */
  upstream(): UpstreamSide;
  /** How many requests have reached an upstream, unfinished ones included. */
  upstreamRequests(): number;
  readonly log: ExchangeLog;
  /** Bugs that were reported. */
  readonly faults: readonly unknown[];
  /** Lets what is under way arrive. */
  settle(): Promise<void>;
  passMs(ms: number): Promise<void>;
}

export type Lines = Readonly<Record<string, string>>;
export type BodyKind = 'none' | 'chunked' | { readonly length: number };

export interface ClientSide {
  /** Begins a request; with body `none` it is complete. */
  begin(method: string, target: string, fields: Lines, body: BodyKind): void;
  /** Sends what can only be refused, with this code. */
  beginBadly(code: 'ambiguous_framing' | 'version_not_supported'): void;
  data(text: string): void;
  end(trailers?: Lines): void;
  /** Is gone, without a word. */
  vanish(): void;
  /** Takes nothing from now on. */
  stopTaking(): void;
  takeAll(): void;
  /** Was asked to send no more of its request for now. */
  readonly heldBack: boolean;
  /** What has come, one entry a request. */
  readonly replies: readonly SeenReply[];
}

export interface SeenReply {
  readonly interim: readonly number[];
  readonly status: number;
  readonly fields: Lines;
  readonly body: string;
  readonly trailers: Lines;
  readonly ending: 'open' | 'complete' | 'cut';
}

export interface UpstreamSide {
  readonly request: SeenRequest;
  interim(status: number, fields: Lines): void;
  begin(status: number, fields: Lines, body: BodyKind): void;
  data(text: string): void;
  end(trailers?: Lines): void;
  /** Breaks the connection. */
  fail(): void;
  stopTaking(): void;
  takeAll(): void;
  /** Was asked to send no more of its reply for now. */
  readonly heldBack: boolean;
  /** The gateway has lost interest. */
  readonly cancelled: boolean;
}

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** By lower-case name. */
  readonly fields: Lines;
  readonly body: string;
  readonly trailers: Lines;
  readonly complete: boolean;
}

export const MAX_BODY_BYTES = 200_000;
export const DEADLINE_MS = 1000;

/** What may differ between scenes. */
export interface SceneOptions {
  /** More settings of the server, in the words of the config file. */
  readonly server?: Readonly<Record<string, unknown>>;
  /** Exchanges are used again for later requests, as a worker does. */
  readonly reusesExchanges?: boolean;
  /** Gets the outcome of each attempt; null by default. Of scenes without sockets only. */
  readonly breaker?: CircuitBreaker;
  /** Every attempt is a probe, with a claim of its own. Of scenes without sockets only. */
  readonly allProbes?: boolean;
  /** Of every route; only where the streams are fake. */
  readonly middleware?: readonly Middleware[];
}

/** Paths under `/to`, `/deadline` and `/again` go upstream, the second with a deadline, the last with retries. */
export function sceneConfig(server: SceneOptions['server'] = {}): Config {
  const text = JSON.stringify({
    server: { http_addr: '127.0.0.1:1', max_body_size: MAX_BODY_BYTES, ...server },
    load_balancing: {
      backends: { origin: { upstreams: [{ address: '192.0.2.1:80' }], retry_backoff: { initial: '1ms' } } },
    },
    routes: [
      { path: '/deadline/**', backend: 'origin', timeout: `${DEADLINE_MS}ms`, retries: 0 },
      { path: '/only-get', backend: 'origin', methods: ['GET'] },
      { path: '/to/**', backend: 'origin', retries: 0 },
      { path: '/again/**', backend: 'origin', retries: 2 },
    ],
  });
  return parseConfig(text, { file: 'scene.yaml', format: 'yaml', env: {} }).config;
}

/**
 * What the exchanges of a scene share, and a record of how each ended. Where exchanges are not used again, whoever still talks
 * to one that is over is found out.
 */
export class ExchangeLog implements PipelineServices {
  readonly wheel: TimerWheel;
  readonly generation: Generation;
  readonly requestIds = new RequestIdGenerator();
  readonly nowMs = 0;
  readonly random = Math.random;
  readonly attempts = new AttemptPool();
  readonly date = 'Sun, 06 Nov 1994 08:49:37 GMT';
  readonly #faults: unknown[];
  readonly #finished = new Set<Exchange>();
  /** The code of the error that each exchange ended with, null for success, in the order of their endings. */
  readonly endings: (string | null)[] = [];
  readonly #reuses: boolean;
  readonly #free: Exchange[] = [];
  taken = 0;

  constructor(wheel: TimerWheel, generation: Generation, faults: unknown[], { reusesExchanges = false }: SceneOptions) {
    this.#reuses = reusesExchanges;
    this.wheel = wheel;
    this.generation = generation;
    this.#faults = faults;
  }

  newExchange(): Exchange {
    this.taken++;
    const used = this.#free.pop();
    if (used !== undefined) this.#finished.delete(used);
    return used ?? new Exchange(this, this.generation.maxHeaders);
  }

  returned(): void {
    this.taken--;
  }

  exchangeFinished(exchange: Exchange, error: PhotonError | null): void {
    assert.ok(!this.#finished.has(exchange), 'an exchange was finished twice');
    this.#finished.add(exchange);
    this.endings.push(error?.code ?? null);
    exchange.clear();
    if (this.#reuses) this.#free.push(exchange);
  }

  middlewareFailed(_hook: unknown, error: unknown): void {
    this.#faults.push(error);
  }

  settle(): void {}

  fault(error: unknown): void {
    this.#faults.push(error);
  }
}

/** What the upstreams of a scene live in. */
export function sceneContext({ io, transport }: MemoryNet, shared: SharedMemory, row = 0): UpstreamContext {
  return {
    ...{ io, transport, maxHeadBytes: 32_768, log: { info: () => {}, warn: () => {} }, random: Math.random },
    ...{ allSockets: SharedCount.sockets(shared, row), maxSockets: 1000, outOfDescriptors: () => {} },
  };
}

/** The plan of a worker without TLS, on the first row. */
export function scenePlan(config: Config, shared: SharedMemory): GenerationPlan {
  const tls = { server: null, upstreams: [] };
  return {
    compiled: compileConfig(config),
    configuration: 1,
    slots: slotsOf(shared, config),
    row: 0,
    tls,
    httpsPort: null,
    createMiddleware: () => [],
  };
}
