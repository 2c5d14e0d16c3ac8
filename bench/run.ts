/** One run of one case: everybody's figures, round by round. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Bench, Case, Contender, Sample } from './bench.ts';
import type { Options } from './options.ts';
import { startOrigin } from './origin.ts';
import { peers as knownPeers } from './peers/catalog.ts';
import { askVersion, type Peer } from './peers/peer.ts';
import { describeMachine, type Machine, pinSelf } from './proc.ts';
import type { Processes } from './processes.ts';
import { monotonicUs, readWorkerProfiles, type SelfTime, type TimeWindow, topSelfTimes } from './profile.ts';
import type { SystemCalls } from './syscalls.ts';

export const DEFAULT_SECONDS = 4;
const DEFAULT_PHOTON = join(import.meta.dirname, '..', 'src', 'main.ts');

export interface Entrant {
  readonly name: string;
  readonly version: string;
  readonly rounds: readonly Sample[];
  readonly systemCalls: SystemCalls | null;
}

export interface Run {
  readonly case: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: Machine;
  readonly origin: string;
  /** Peers that were asked for and are not installed. */
  readonly missing: readonly string[];
  /** The first is the one that the others are compared with. */
  readonly entrants: readonly Entrant[];
  readonly profile: readonly SelfTime[] | null;
}

/** @throws Error when a needed command is missing, a reply is wrong, or anything fails under load */
export async function runCase(chosen: Case, options: Options, processes: Processes): Promise<Run> {
  requireCommands(chosen, options);
  const machine = describeMachine();
  pinSelf(machine.loadCore);
  const wanted = (options.peers ?? chosen.defaultPeers).map(findPeer);
  const peers = wanted.filter((peer) => peer.version() !== null);
  const seconds = options.seconds ?? chosen.defaultSeconds ?? DEFAULT_SECONDS;
  const bench: Bench = {
    ...{ processes, machine, peers, seconds },
    origin: await startOrigin(processes),
    photonEntry: options.photon ?? DEFAULT_PHOTON,
    profileDirectory: options.profile ? join(processes.directory, 'profiles') : null,
  };
  const rounds = options.rounds ?? chosen.defaultRounds;
  const contenders = await chosen.contenders(bench);
  const { samples, windows } = await alternate(contenders, rounds);
  const entrants = await finishAll(contenders, samples, options.syscalls);
  return {
    ...{ case: chosen.name, rounds, seconds, machine, entrants },
    origin: askVersion('nginx') ?? 'nginx',
    missing: wanted.filter((peer) => !peers.includes(peer)).map((peer) => peer.name),
    profile: bench.profileDirectory === null ? null : topSelfTimes(readWorkerProfiles(bench.profileDirectory), windows),
  };
}

/** Each round starts with another contender, so that nobody always has the warmest machine. */
async function alternate(contenders: readonly Contender[], rounds: number) {
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]));
  const windows: TimeWindow[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length] as Contender;
      const from = monotonicUs();
      samples.get(contender)?.push(await contender.measure());
      if (contender === contenders[0]) windows.push([from, monotonicUs()]);
    }
    process.stderr.write(`\rround ${round + 1} of ${rounds}${round + 1 === rounds ? '\n' : ''}`);
  }
  return { samples, windows };
}

/** System calls are counted after all the rounds, because strace slows everything down. */
async function finishAll(
  contenders: readonly Contender[],
  samples: ReadonlyMap<Contender, readonly Sample[]>,
  withSystemCalls: boolean,
): Promise<Entrant[]> {
  const entrants: Entrant[] = [];
  for (const contender of contenders) {
    const systemCalls = withSystemCalls ? ((await contender.countSystemCalls?.()) ?? null) : null;
    await contender.stop();
    const { name, version } = contender;
    entrants.push({ name, version, rounds: samples.get(contender) ?? [], systemCalls });
  }
  return entrants;
}

function findPeer(name: string): Peer {
  const peer = knownPeers.find((known) => known.name === name);
  const names = knownPeers.map((known) => known.name).join(', ');
  if (peer === undefined) throw new Error(`Cannot use --peers: want some of ${names}, got "${name}"`);
  return peer;
}

function requireCommands(chosen: Case, options: Options): void {
  if (process.platform !== 'linux') throw new Error(`Cannot run ${chosen.name}: want Linux, got ${process.platform}`);
  const needed = options.syscalls ? [...chosen.needs, 'strace'] : chosen.needs;
  const missing = needed.filter(
    (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error !== undefined,
  );
  if (missing.length > 0) throw new Error(`Cannot run ${chosen.name}: want ${missing.join(', ')} installed`);
}
