import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type Clock, monotonicClock } from '../../src/base/clock.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { readTlsMaterial } from '../../src/control/tls-material.ts';
import { PasswordQueueState } from '../../src/memory/password-queue.ts';
import { createSharedMemory, SharedCount, type SharedMemory, slotsOf } from '../../src/memory/shared-memory.ts';
import { createTokenBuckets, type TokenBucketMemory } from '../../src/memory/token-buckets.ts';
import { UpstreamSockets } from '../../src/memory/upstream-sockets.ts';
import type { ServingPlan } from '../../src/messages/to-worker.ts';
import type { PasswordQuestion } from '../../src/middleware/auth/basic/password-checks.ts';
import { loadCustom } from '../../src/middleware/custom/load-custom.ts';
import { ModuleLoader } from '../../src/middleware/custom/module-loader.ts';
import type { ClientCertificateMaterial, TlsServerMaterial } from '../../src/net/tls-server.ts';
import { compileConfig } from '../../src/pipeline/compiled-config.ts';
import { AccessBlocks } from '../../src/telemetry/access-blocks.ts';
import type { AccessSink } from '../../src/telemetry/access-buffer.ts';
import { DataPlane } from '../../src/worker/data-plane.ts';
import { testCertificate } from './certificates.ts';

const TLS: TlsServerMaterial = {
  certificates: [{ hosts: [], ...testCertificate('localhost') }],
  ticketKeys: randomBytes(48),
  clientCertificates: null,
};

/** One for all gateways of the process: it hooks into how modules are found. */
const modules = new ModuleLoader();

type Settings = Readonly<Record<string, unknown>>;

/** A configuration of one backend named `origin`, in the words of the config file. */
export interface GatewaySettings {
  /** The ports of the backend's upstreams, on 127.0.0.1. */
  readonly upstreamPorts: readonly number[];
  readonly server?: Settings | undefined;
  /** More backends by name, of one upstream each, by its port. */
  readonly otherBackends?: Readonly<Record<string, number>> | undefined;
  /** Settings of the backend. Without such of its own its circuit breaker counts, and never opens: tests let upstreams fail at will. */
  readonly backend?: Settings | undefined;
  /** Settings of every upstream. */
  readonly upstream?: Settings | undefined;
  /** The weights of the upstreams of the backend `origin`; by default 1 each. */
  readonly weights?: readonly number[] | undefined;
  /** The routes; by default one that takes everything. */
  readonly routes?: readonly Settings[] | undefined;
  /** Listen for HTTPS instead, as `localhost`. */
  readonly secure?: boolean | undefined;
  /** With `secure`: which certificates clients have to show. */
  readonly clientCertificates?: ClientCertificateMaterial | undefined;
  readonly accessLog?: Settings | undefined;
  /** For how many workers there is shared memory; by default 1. See `Gateway.beside`. */
  readonly workers?: number | undefined;
  /** The block of options. */
  readonly middleware?: Settings | undefined;
  /** Called for the keys of an issuer; the answer is `plane.useKeySet`. */
  readonly wantKeySet?: ((url: string) => void) | undefined;
  /** Who checks passwords for all workers; by default nobody. */
  readonly passwords?: PasswordDesk | undefined;
  /** Sockets of clients and upstreams that it may have. */
  readonly maxSockets?: number | undefined;
  /** What rate limits count in; by default its own. */
  readonly buckets?: TokenBucketMemory | undefined;
}

/** What a data plane asks about passwords; the answer is `plane.answerPassword`. */
export interface PasswordDesk {
  /** Of `PasswordQueueState.allocate`. */
  readonly memory: SharedArrayBuffer;
  ask(plane: DataPlane, row: number, question: PasswordQuestion): void;
}

const NO_PASSWORDS: PasswordDesk = {
  memory: PasswordQueueState.allocate(),
  ask: () => assert.fail('a password is to be checked'),
};

/** A data plane in this process, listening on a free port. */
export interface Gateway {
  readonly port: number;
  readonly scheme: 'http' | 'https';
  readonly plane: DataPlane;
  readonly shared: SharedMemory;
  /** What was logged: level, event and fields, a line each. */
  readonly logLines: readonly string[];
  /** The lines of the access log so far. */
  accessLines(): readonly string[];
  /** Exchanges under way at each upstream, and requests that wait for a connection to each backend. */
  inFlight(): readonly number[];
  /** Sockets of each upstream, as counted over all workers. */
  sockets(): readonly number[];
  /** Makes changed settings ready; `plane.commit` goes over to them. */
  prepare(changes: Partial<GatewaySettings>): void;
  /** One more worker of the same gateway, on another row of the shared memory and a port of its own. The caller closes it. */
  beside(row: number): Promise<Gateway>;
}

/** On one of the transports events are always gathered, which takes many at once in a gateway that is used; on the other one hardly ever. */
const EVENTS = process.env['PHOTON_TRANSPORT'] === 'plain' ? {} : { eventsAlone: 0 };

/** Runs a data plane of one worker in this process. The caller closes it. */
export async function startGateway(settings: GatewaySettings, clock?: Clock): Promise<Gateway> {
  const shared = createSharedMemory(configOf(settings), settings.workers ?? 1);
  const buckets = settings.buckets ?? createTokenBuckets(1024, (clock ?? monotonicClock).nowMs());
  return startWorker(settings, { shared, buckets }, 0, clock);
}

/** What all workers of one gateway see. */
interface Memories {
  readonly shared: SharedMemory;
  readonly buckets: TokenBucketMemory;
}

async function startWorker(
  settings: GatewaySettings,
  memories: Memories,
  row: number,
  clock?: Clock,
): Promise<Gateway> {
  const { shared } = memories;
  const logLines: string[] = [];
  const logAs = (level: string) => (event: string, fields?: object) => {
    logLines.push(`${level} ${event} ${JSON.stringify(fields ?? {})}`);
  };
  let accessText = '';
  const accessMemory = AccessBlocks.allocate();
  const accessBlocks = new AccessBlocks(accessMemory);
  const accessSink: AccessSink = {
    handOver(block, bytes) {
      accessText += accessBlocks.bytesOf(block).toString('latin1', 0, bytes);
      accessBlocks.free(block);
    },
    dropped: (lines) => assert.fail(`${lines} lines of the access log were dropped`),
  };
  const plan = planOf(settings, memories);
  const passwords = settings.passwords ?? NO_PASSWORDS;
  const log = { info: logAs('info'), warn: logAs('warn'), error: logAs('error') };
  const plane: DataPlane = new DataPlane({
    ...plan,
    shared,
    row,
    log,
    accessMemory,
    accessSink,
    wantKeySet: settings.wantKeySet ?? (() => assert.fail('a key set is wanted')),
    passwordQueue: passwords.memory,
    checkPassword: (question) => passwords.ask(plane, row, question),
    custom: await loadCustom(plan.compiled.custom, modules, { log }),
    ...(clock === undefined ? {} : { clock }),
    ...EVENTS,
  });
  reportTransport(plane.transport);
  const { port } = await plane.listen({
    key: 'it',
    source: { host: '127.0.0.1', port: 0, reusePort: true },
    secure: settings.secure ?? false,
  });
  const accessLines = () => {
    plane.flushAccessLog();
    return accessText.split('\n').slice(0, -1);
  };
  const prepare = (changes: Partial<GatewaySettings>) => plane.prepare(planOf({ ...settings, ...changes }, memories));
  const beside = (otherRow: number) => startWorker(settings, memories, otherRow, clock);
  const { upstreams, backends } = slotsOf(shared, configOf(settings));
  const inFlight = () => [
    ...upstreams.map((slot) => SharedCount.upstreamInFlight(slot, row).total),
    ...backends.map((slot) => SharedCount.backendWaiting(slot, row).total),
  ];
  const sockets = () => upstreams.map((slot) => new UpstreamSockets(slot, row).total);
  return {
    ...{ port, scheme: settings.secure ? 'https' : 'http', plane, shared, logLines },
    ...{ accessLines, inFlight, sockets, prepare, beside },
  };
}

/** What a gateway with these settings serves. Upstreams are counted by their place: tests change all or none of them. */
function planOf(settings: GatewaySettings, { shared, buckets }: Memories): ServingPlan {
  const config = configOf(settings);
  const { clientCertificates = null } = settings;
  const { upstreams } = readTlsMaterial(config, new Uint8Array(0));
  return {
    compiled: compileConfig(config),
    slots: slotsOf(shared, config),
    buckets,
    tls: { server: settings.secure ? { ...TLS, clientCertificates } : null, upstreams },
    httpsPort: null,
    maxSockets: settings.maxSockets ?? null,
  };
}

/** The configuration of a gateway with these settings. */
export function configOf(settings: GatewaySettings): Config {
  return parseConfig(configText(settings), { file: 'test.yaml', format: 'yaml', env: {} }).config;
}

/** JSON is YAML too, and needs no quoting rules here. */
function configText({
  upstreamPorts,
  server,
  otherBackends = {},
  backend,
  upstream,
  weights = [],
  routes,
  accessLog,
  middleware,
}: GatewaySettings): string {
  const backendOf = (ports: readonly number[]) => ({
    circuit_breaker: { failure_threshold: 1_000_000 },
    ...backend,
    upstreams: ports.map((port, index) => ({ address: `127.0.0.1:${port}`, weight: weights[index] ?? 1, ...upstream })),
  });
  const others = Object.entries(otherBackends).map(([name, port]) => [name, backendOf([port])] as const);
  return JSON.stringify({
    server: { http_addr: '127.0.0.1:8080', ...server },
    load_balancing: { backends: { origin: backendOf(upstreamPorts), ...Object.fromEntries(others) } },
    routes: (routes ?? [{}]).map((route) => ({ path: '/**', backend: 'origin', ...route })),
    access_log: accessLog ?? {},
    middleware: middleware ?? {},
  });
}

let reportedTransport: string | null = null;

/** Says once per file which transport runs, and fails where it is not the one that was asked for. */
function reportTransport(name: string): void {
  const wanted = process.env['PHOTON_TRANSPORT'];
  if (wanted !== undefined) assert.equal(name, wanted, 'the transport that PHOTON_TRANSPORT asks for');
  if (reportedTransport !== null) return;
  reportedTransport = name;
  console.log(`transport: ${name}`);
}
