/** What every case builds on: the parts that run, who takes part, and one shape of result. */
import type { Origin } from './origin.ts';
import type { Gateway, Peer } from './peers/peer.ts';
import { startPhoton } from './peers/photon.ts';
import type { Machine } from './proc.ts';
import type { Processes } from './processes.ts';
import type { SystemCalls } from './syscalls.ts';

export interface Bench {
  readonly processes: Processes;
  readonly machine: Machine;
  readonly origin: Origin;
  /** Those asked for that are installed. */
  readonly peers: readonly Peer[];
  readonly seconds: number;
  readonly photonEntry: string;
  readonly profileDirectory: string | null;
}

/** One figure of a case. `key` names it in a sample; `unit` and `digits` say how to print it. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
  /** Figures are divided by it for people's eyes. JSON has them as measured. */
  readonly scale?: number;
}

export type Sample = Readonly<Record<string, number>>;

/** One that takes part in a case. The first of a case is the one that all the others are compared with. */
export interface Contender {
  readonly name: string;
  readonly version: string;
  /** One round. */
  measure(): Promise<Sample>;
  countSystemCalls?(): Promise<SystemCalls>;
  stop(): Promise<void>;
}

export interface Case {
  readonly name: string;
  readonly about: string;
  readonly metrics: readonly Metric[];
  /** The metrics of which the report gives the first contender's ratio to each other one. */
  readonly compared: readonly string[];
  /** In the ratios it is each other one that is divided, by the first. */
  readonly othersByFirst?: boolean;
  readonly defaultPeers: readonly string[];
  readonly defaultRounds: number;
  /** By default 4. */
  readonly defaultSeconds?: number;
  /** Commands that it cannot do without. */
  readonly needs: readonly string[];
  contenders(bench: Bench): Promise<Contender[]>;
}

/** Something that starts a gateway: Photon, or a peer. */
export interface Candidate {
  readonly name: string;
  readonly version: string;
  start(): Promise<Gateway>;
}

/** What a case wants of Photon. */
export interface PhotonWish {
  /** Where a case runs several. */
  readonly name?: string;
  /** Route patterns; by default one that takes everything. */
  readonly paths?: readonly string[];
  /** Speak TLS with clients. */
  readonly secure?: boolean;
  readonly accessLog?: boolean;
  /** By default one. */
  readonly workers?: number;
  /** What every request passes. */
  readonly middleware?: MiddlewareWish;
  /** On all cores, so that its workers do run at once; by default on one. */
  readonly onAllCores?: boolean;
  /** Options of the backend, as in a mapping of YAML; by default none. */
  readonly backend?: string;
}

export interface MiddlewareWish {
  /** Names, as in a list of middleware. */
  readonly names: readonly string[];
  /** The `middleware` block of the configuration. */
  readonly block: object;
}

export function photonCandidate(bench: Bench, wish: PhotonWish = {}): Candidate {
  const {
    name = 'photon',
    paths = ['/**'],
    secure = false,
    accessLog = false,
    workers = 1,
    middleware = null,
    onAllCores = false,
    backend = '',
  } = wish;
  const { processes, machine, origin, photonEntry, profileDirectory } = bench;
  return {
    name,
    version: `photon on node ${machine.node}`,
    start: () =>
      startPhoton({
        ...{ processes, core: onAllCores ? machine.allCores : machine.gatewayCore, originPort: origin.port, secure },
        ...{ name, entry: photonEntry, paths, accessLog, profileDirectory, workers, middleware, backend },
      }),
  };
}

export function peerCandidates(bench: Bench, secure = false): Candidate[] {
  const { processes, machine, origin } = bench;
  const setup = { processes, core: machine.gatewayCore, originPort: origin.port, secure };
  return bench.peers.map((peer) => ({
    name: peer.name,
    version: peer.version() ?? 'unknown',
    start: () => peer.start(setup),
  }));
}

/** Photon on its one catch-all route, then the peers; `secure` over TLS. */
export function allCandidates(bench: Bench, secure = false): Candidate[] {
  return [photonCandidate(bench, { secure }), ...peerCandidates(bench, secure)];
}
