import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type PhotonProcess, type Scope, startPhoton } from '../control/photon-process.ts';
import { testCertificate } from '../support/certificates.ts';
import { Random } from '../support/random.ts';
import { leaveRudely, type Manners, type SoakTarget } from './rude-client.ts';
import { SoakUpstream } from './upstream.ts';

export interface SoakOptions {
  /** How many rude connections are counted. */
  readonly connections: number;
  /** What comes before them, so that everything has its working size. */
  readonly warmUp: WarmUp;
  /** How many are open at a time. */
  readonly atOnce: number;
  readonly secure: boolean;
  readonly manners: Manners;
  readonly transport: string | undefined;
  readonly seed: number;
}

/** Rounds of rude connections, until the resident memory has settled or there have been `roundsMax` of them. */
export interface WarmUp {
  readonly connections: number;
  readonly roundsMax: number;
}

/** How memory stands when what nobody needs has been collected, in bytes. */
export interface Memory {
  /** Of the process: what the allocator keeps for later is in it too. */
  readonly resident: number;
  /** Of the workers: what is really in use. Whatever is kept by mistake shows here, to the byte. */
  readonly live: number;
}

/** What a gateway holds. */
export interface Holdings {
  readonly descriptors: number;
  readonly connections: number;
  readonly upstreamSockets: number;
  /** Of the upstream's own counting. */
  readonly upstreamConnections: number;
  readonly upstreamRequests: number;
}

export interface SoakResult {
  /** When it had just started, after the rude connections of the warm-up, and after all of them. */
  readonly before: Holdings;
  readonly warm: Holdings;
  readonly after: Holdings;
  /** After every round of the warm-up. */
  readonly warmMemory: readonly Memory[];
  readonly afterMemory: Memory;
  /** Polite requests meanwhile, and those that went wrong. */
  readonly politeRequests: number;
  readonly wrongReplies: readonly string[];
  readonly upstreamRequests: number;
  /** Events that a gateway that is well never logs. */
  readonly badEvents: readonly string[];
  readonly transport: string;
}

/** Rude connections come in a gateway of its own process; afterwards it must hold what it held before. */
export async function soak(scope: Scope, options: SoakOptions): Promise<SoakResult> {
  const upstream = await SoakUpstream.start();
  scope.after(() => upstream.close());
  const photon = startSoakPhoton(scope, upstream, options);
  const { secure, manners } = options;
  const target = { port: await portOf(photon, secure), secure, manners };
  const random = new Random(options.seed);
  const before = await restingHoldings(photon, upstream);
  const runRound = async (connections: number) => {
    await runCrowd(target, random, connections, options.atOnce);
    return await settledHoldings(photon, upstream, before);
  };
  const warmMemory: Memory[] = [];
  let warm = before;
  while (warmMemory.length < options.warmUp.roundsMax && !hasSettled(warmMemory)) {
    warm = await runRound(options.warmUp.connections);
    warmMemory.push(await memoryOf(photon));
  }
  const witness = new Witness(target);
  await runCrowd(target, random, options.connections, options.atOnce);
  await witness.stop();
  const after = await settledHoldings(photon, upstream, before);
  return {
    before,
    warm,
    after,
    warmMemory,
    afterMemory: await memoryOf(photon),
    politeRequests: witness.requests,
    wrongReplies: witness.wrong,
    upstreamRequests: upstream.totalRequests,
    badEvents: ['internal-error', 'worker-died', 'accept-failed'].filter((event) => photon.events(event).length > 0),
    transport: String(photon.events('listening')[0]?.['transport']),
  };
}

/**
 * What is freed goes back to the system at once. Left alone, glibc keeps it, and how much that is depends on how far garbage
 * had piled up in the most unlucky moment so far. V8's empty heap pages stay all the same (docs/benchmarks.md).
 */
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' };

const WARM_UP_ROUNDS_MIN = 3;
const SETTLED_GROWTH_MAX = 1.03;

/** The last round of the warm-up has not taken the resident memory higher than it had been. */
export function hasSettled(rounds: readonly Memory[]): boolean {
  const last = rounds.at(-1);
  if (last === undefined || rounds.length < WARM_UP_ROUNDS_MIN) return false;
  return last.resident <= highest(rounds.slice(0, -1), 'resident') * SETTLED_GROWTH_MAX;
}

export function highest(rounds: readonly Memory[], kind: keyof Memory): number {
  return Math.max(...rounds.map((round) => round[kind]));
}

async function memoryOf(photon: PhotonProcess): Promise<Memory> {
  const workers = await photon.liveMemory();
  return { live: sum(workers.map((each) => each.heapBytes + each.externalBytes)), resident: photon.rssBytes };
}

/** A client that has closed its side only is given up when nothing has moved for so long. */
const TIMEOUT = '2s';
/** Longer: the upstream shares its event loop with the whole crowd. */
const READ_TIMEOUT = '6s';
const SERVER_TIMEOUTS = {
  connection_timeout: TIMEOUT,
  keepalive_timeout: TIMEOUT,
  body_timeout: TIMEOUT,
  send_timeout: TIMEOUT,
};

function startSoakPhoton(scope: Scope, { port }: SoakUpstream, options: SoakOptions): PhotonProcess {
  const { secure, transport, manners } = options;
  const { certFile, keyFile } = testCertificate('localhost');
  const https = secure ? { https_addr: '127.0.0.1:0', tls_cert: certFile, tls_key: keyFile } : {};
  const env = { ...ALLOCATOR, ...(transport === undefined ? {} : { PHOTON_TRANSPORT: transport }) };
  const timeouts = manners === 'any' ? SERVER_TIMEOUTS : {};
  const upstream = manners === 'any' ? { read_timeout: READ_TIMEOUT } : {};
  return startPhoton(scope, { upstreamPort: port, server: { ...https, ...timeouts }, upstream }, env, {
    lifetimeMs: 1_800_000,
  });
}

async function portOf(photon: PhotonProcess, secure: boolean): Promise<number> {
  const { address } = await photon.event('listening', secure ? 1 : 0);
  return Number(String(address).split(':').at(-1));
}

async function runCrowd(target: SoakTarget, random: Random, connections: number, atOnce: number): Promise<void> {
  let begun = 0;
  const work = async () => {
    while (begun < connections) {
      begun++;
      await leaveRudely(target, random.fork());
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

const SETTLE_STEP_MS = 100;
const SETTLE_STEPS_MAX = 600;

/** What it holds at the start, when two looks agree: a thread that is still loading its modules has files open. */
async function restingHoldings(photon: PhotonProcess, upstream: SoakUpstream): Promise<Holdings> {
  let holdings = await holdingsOf(photon, upstream);
  for (let step = 0; step < SETTLE_STEPS_MAX; step++) {
    await pause(SETTLE_STEP_MS);
    const seen = holdings;
    holdings = await holdingsOf(photon, upstream);
    if (isDeepStrictEqual(seen, holdings)) break;
  }
  return holdings;
}

/** What it holds when it holds no more than `goal`, or when it has had a minute to let go. */
async function settledHoldings(photon: PhotonProcess, upstream: SoakUpstream, goal: Holdings): Promise<Holdings> {
  let holdings = await holdingsOf(photon, upstream);
  for (let step = 0; step < SETTLE_STEPS_MAX && !isAtMost(holdings, goal); step++) {
    await pause(SETTLE_STEP_MS);
    upstream.closeIdle();
    holdings = await holdingsOf(photon, upstream);
  }
  return holdings;
}

function isAtMost(holdings: Holdings, goal: Holdings): boolean {
  return Object.entries(goal).every(([name, count]) => holdings[name as keyof Holdings] <= count);
}

async function holdingsOf(photon: PhotonProcess, upstream: SoakUpstream): Promise<Holdings> {
  const { connections, upstreamSockets } = await photon.counts();
  return {
    descriptors: photon.descriptors,
    connections: sum(connections),
    upstreamSockets: sum(upstreamSockets),
    upstreamConnections: upstream.openConnections,
    upstreamRequests: upstream.openRequests,
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** A polite client, which asks all the time and must always get its answer. */
class Witness {
  readonly #target: SoakTarget;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #finished: Promise<void>;
  #stopped = false;
  requests = 0;
  readonly wrong: string[] = [];

  constructor(target: SoakTarget) {
    this.#target = target;
    const options = { keepAlive: true, maxSockets: 1, rejectUnauthorized: false };
    this.#agent = target.secure ? new HttpsAgent(options) : new HttpAgent(options);
    this.#finished = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#finished;
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const reply = await this.#ask().catch((error: unknown) => String(error));
      this.requests++;
      if (reply !== '200 hello') this.wrong.push(reply);
      await pause(5);
    }
  }

  #ask(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const ask = this.#target.secure ? httpsRequest : httpRequest;
    const options = { host: '127.0.0.1', port: this.#target.port, path: '/hello', agent: this.#agent };
    const sent = ask(options, (response) => {
      response.toArray().then((parts) => resolve(`${response.statusCode} ${Buffer.concat(parts)}`), reject);
    });
    sent.once('error', reject);
    sent.end();
    return promise;
  }
}
