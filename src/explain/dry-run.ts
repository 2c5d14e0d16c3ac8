import { monotonicClock } from '../base/clock.ts';
import { PhotonError } from '../base/errors.ts';
import type { Config, RouteConfig, RouteMiddleware } from '../config/config.ts';
import { FRAMING } from '../http/framing.ts';
import { RequestIdGenerator } from '../http/request-id.ts';
import { createSharedMemory, SharedCount, slotsOf } from '../memory/shared-memory.ts';
import { createTokenBuckets, TokenBuckets } from '../memory/token-buckets.ts';
import { createMiddleware } from '../middleware/catalog.ts';
import { CONTENT_CODINGS } from '../middleware/compress/content-coding.ts';
import type { MiddlewareContext } from '../middleware/middleware-context.ts';
import { IoContext } from '../net/io-context.ts';
import type { TimerWheel } from '../net/timer-wheel.ts';
import { AttemptPool } from '../pipeline/attempt-pool.ts';
import { buildGeneration } from '../pipeline/build-generation.ts';
import { compileConfig } from '../pipeline/compiled-config.ts';
import { Exchange, type PipelineServices } from '../pipeline/exchange.ts';
import type { FailedHook } from '../pipeline/failed-hook.ts';
import type { Generation } from '../pipeline/generation.ts';
import type { Middleware } from '../pipeline/middleware.ts';
import { PHASE } from '../pipeline/phase.ts';
import { RateLimitCounts } from '../telemetry/rate-limit-counts.ts';
import { INCOMPLETE } from '../wire/h1/field-lines.ts';
import { decodeRequestHead } from '../wire/h1/request-decoder.ts';
import { DryRunClient, type DryRunPeer, type DryRunReply } from './dry-run-client.ts';
import { DryRunTransport } from './dry-run-transport.ts';

/** Stands where every request has an id of its own. */
export const REQUEST_ID_PLACEHOLDER = '<request id>';
const DATE_PLACEHOLDER = '<now>';

/** Keys of rate limits that a dry run tells apart. */
const MAX_KEYS = 1024;

class PlaceholderIds extends RequestIdGenerator {
  override next(): string {
    return REQUEST_ID_PLACEHOLDER;
  }
}

/** Where a request led. */
export interface DryRunOutcome {
  /** The exchange as it was left; valid until the next run. */
  readonly exchange: Exchange;
  /** The head could not be read: nothing is known but that. */
  readonly headRefused: boolean;
  /** Null where it went to an upstream. */
  readonly reply: DryRunReply | null;
  /** Why the gateway replied; null also where the reply is no failure. */
  readonly error: PhotonError | null;
  /** The head that the upstream would get (latin1); null where none would. */
  readonly sentHead: string | null;
}

/**
 * The data path without its sockets. Heads are decoded, exchanges begun, routes found, upstreams picked and heads encoded by
 * the very code that serves; only the client and the sockets are stand-ins. Nothing here knows what that code does.
 *
 *   text --decodeRequestHead--> Exchange (pipeline/exchange.ts) --Upstream.acquire--> H1Upstream --> DryRunConnection
 *                                   \--> DryRunClient, if the gateway replies itself
 */
export class DryRun implements PipelineServices {
  readonly generation: Generation;
  readonly attempts: AttemptPool = new AttemptPool();
  readonly requestIds: RequestIdGenerator = new PlaceholderIds();
  readonly date = DATE_PLACEHOLDER;
  /** The same request is explained the same way every time. */
  readonly random = (): number => 0;
  readonly #io = new IoContext(monotonicClock, (error) => this.fault(error));
  readonly #transport = new DryRunTransport();
  /** Of its own, and full for every run: to ask about a request takes nothing from anybody, and the answer is the same each time. */
  readonly #buckets = new TokenBuckets(createTokenBuckets(MAX_KEYS, monotonicClock.nowMs()));
  #error: PhotonError | null = null;
  #fault: unknown = null;

  /** `httpsPort`: of the first listener for HTTPS, null without one. Throws an Error where the configuration cannot serve. */
  constructor(config: Config, httpsPort: number | null) {
    const shared = createSharedMemory(config, 1);
    const log = {
      info: () => {},
      warn: (_event: string, fields?: object) => this.fault(fields),
      error: (_event: string, fields?: object) => this.fault(fields),
    };
    // Nothing is fetched, and no password hashed, for an explanation.
    const keySets = { current: () => null, mayBeOld: () => false, renew: () => null };
    const passwords = { isKnown: () => false, check: refuseToHash };
    const context: MiddlewareContext = {
      custom: new Map(),
      nowMs: () => this.#io.eventMs,
      unixMs: Date.now,
      keySets,
      userFiles: config.userFiles,
      passwords,
      log,
      buckets: this.#buckets,
      rateLimitCounts: new RateLimitCounts(),
      contentCodings: CONTENT_CODINGS,
    };
    const { generation } = buildGeneration(
      {
        compiled: compileConfig(config),
        configuration: 1,
        slots: slotsOf(shared, config),
        row: 0,
        tls: { upstreams: [] },
        httpsPort,
        createMiddleware: (entry, route) => createDryRunMiddleware(entry, route, context),
      },
      {
        io: this.#io,
        transport: this.#transport,
        maxHeadBytes: config.server.maxHeaderBytes,
        log,
        allSockets: SharedCount.sockets(shared, 0),
        maxSockets: Number.POSITIVE_INFINITY,
        random: this.random,
        outOfDescriptors: () => {},
      },
    );
    this.generation = generation;
  }

  get nowMs(): number {
    return this.#io.eventMs;
  }

  get wheel(): TimerWheel {
    return this.#io.wheel;
  }

  /** Sends `head` (whole, with its empty line) as `peer`. Throws what would be an internal error. */
  run(head: string, peer: DryRunPeer): DryRunOutcome {
    this.#io.tick();
    this.#buckets.refill();
    this.#error = null;
    this.#fault = null;
    const client = new DryRunClient(peer);
    const exchange = new Exchange(this, this.generation.maxHeaders);
    const headRefused = !this.#begin(exchange, client, Buffer.from(head, 'utf8'));
    this.#io.settle();
    const connection = this.#transport.takeLast();
    const error = this.#error;
    // No upstream will ever answer: its client leaves.
    if (exchange.phase !== PHASE.OVER) exchange.requestFailed(new PhotonError('client_closed', 'The dry run is over.'));
    connection?.reportClosed();
    if (this.#fault !== null) throw this.#fault;
    return { exchange, headRefused, reply: client.reply, error, sentHead: connection?.written ?? null };
  }

  /** Returns false when the head is refused. */
  #begin(exchange: Exchange, client: DryRunClient, bytes: Buffer): boolean {
    try {
      const end = decodeRequestHead(bytes, 0, bytes.length, exchange.request, this.generation.limits);
      if (end === INCOMPLETE) throw new Error('the head of a dry run ends with its empty line');
    } catch (error) {
      if (!(error instanceof PhotonError)) throw error;
      exchange.requestRefused(client, error);
      return false;
    }
    client.requestComplete = exchange.request.framing === FRAMING.NONE;
    exchange.requestBegun(client);
    return true;
  }

  exchangeFinished(_exchange: Exchange, error: PhotonError | null): void {
    this.#error = error;
  }

  middlewareFailed(_hook: FailedHook, error: unknown): void {
    this.fault(error);
  }

  settle(): void {
    this.#io.settle();
  }

  fault(error: unknown): void {
    this.#fault ??= error;
  }
}

function refuseToHash(): never {
  throw new PhotonError('authentication_unavailable', 'Passwords are not checked here.');
}

/** Middleware of users is listed, but not run: nothing is known of what it does. */
function createDryRunMiddleware(
  entry: RouteMiddleware,
  route: RouteConfig,
  context: MiddlewareContext,
): readonly Middleware[] {
  if (entry.module !== null) return [{ name: entry.name, stage: 'custom' }];
  return createMiddleware(entry, route, context);
}
