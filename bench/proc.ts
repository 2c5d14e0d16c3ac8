/** What the kernel says about processes: CPU time, memory, and the machine that they run on. Linux only. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const MICROSECONDS = 1_000_000;
const SETTLE_STEP_MS = 250;
const SETTLE_STEPS_MAX = 40;
const SETTLED_WITHIN = 0.005;

/** CPU time used so far, in microseconds. */
export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

/** The part of a `/proc/PID/stat` line that counts, in clock ticks. The command's name may hold spaces and parentheses. */
export function parseCpuTicks(statLine: string): { readonly user: number; readonly system: number } {
  const afterName = statLine.slice(statLine.lastIndexOf(')') + 2).split(' ');
  return { user: Number(afterName[11]), system: Number(afterName[12]) };
}

const clockTicksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }));

/** CPU time of a process so far, with all its threads; null when it has ended. */
export function readCpuTime(pid: number): CpuTime | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  const ticks = parseCpuTicks(stat);
  const tickUs = MICROSECONDS / clockTicksPerSecond;
  return { userUs: ticks.user * tickUs, systemUs: ticks.system * tickUs };
}

/** Resident memory of all the given processes, in bytes. Pages that they share count once for each. */
export function readRssBytes(pids: readonly number[]): number {
  const rssKiB = pids.map(
    (pid) => /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0,
  );
  return rssKiB.reduce((sum: number, kib) => sum + Number(kib) * 1024, 0);
}

/** Resident memory once it has stopped moving: three looks in a row within half a percent, ten seconds at most. */
export async function readSettledRssBytes(pids: readonly number[]): Promise<number> {
  let steady = 0;
  let rss = readRssBytes(pids);
  for (let step = 0; step < SETTLE_STEPS_MAX && steady < 3; step++) {
    await delay(SETTLE_STEP_MS);
    const next = readRssBytes(pids);
    steady = Math.abs(next - rss) <= rss * SETTLED_WITHIN ? steady + 1 : 0;
    rss = next;
  }
  return rss;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly openFilesMax: number;
  /** The core that every gateway is pinned to. */
  readonly gatewayCore: number;
  /** The core of the origin, of the load and of the bench itself: another one, where there are two. */
  readonly loadCore: number;
  /** All that this process may use, as `taskset` takes them. */
  readonly allCores: string;
}

export function describeMachine(): Machine {
  const allowed = parseCoreList(
    /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0',
  );
  const gatewayCore = allowed[0] ?? 0;
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: allowed.length,
    kernel: release(),
    node: process.version,
    openFilesMax: Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 1024),
    gatewayCore,
    loadCore: allowed[1] ?? gatewayCore,
    allCores: allowed.join(','),
  };
}

/** `0-2,5` as [0, 1, 2, 5]. */
export function parseCoreList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Moves this process, and with it all that it will start, to one core. */
export function pinSelf(core: number): void {
  spawnSync('taskset', ['-a', '-c', '-p', `${core}`, `${process.pid}`], { stdio: 'ignore' });
}
