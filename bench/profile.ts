/** Where Photon's workers spend their time: the CPU profiles that `node --cpu-prof` writes when a thread ends. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const TOP_FUNCTIONS = 30;

/** From and to, in microseconds of the monotonic clock, which is V8's too. */
export type TimeWindow = readonly [number, number];

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  /** `name file:line`; `(idle)`, `(program)` (native code and the kernel) and `(garbage collector)` are V8's own. */
  readonly where: string;
  /** Of all the time that the thread was not idle. */
  readonly percent: number;
}

export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Reads the profiles of the worker threads (`CPU.date.time.PID.THREAD.number.cpuprofile`, where the control thread is 0). */
export function readWorkerProfiles(directory: string): CpuProfile[] {
  const names = readdirSync(directory).filter((name) => /\.cpuprofile$/.test(name) && name.split('.')[4] !== '0');
  if (names.length === 0) throw new Error('Cannot profile: no worker thread wrote a profile when Photon ended');
  return names.map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as CpuProfile);
}

/** The functions with the most time of their own inside the measured windows, the highest first. */
export function topSelfTimes(profiles: readonly CpuProfile[], windows: readonly TimeWindow[]): SelfTime[] {
  const selfUs = new Map<string, number>();
  for (const profile of profiles) addSelfTimes(profile, windows, selfUs);
  selfUs.delete('(idle)');
  const totalUs = selfUs.values().reduce((sum, us) => sum + us, 0);
  return [...selfUs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOP_FUNCTIONS)
    .map(([where, us]) => ({ where, percent: (100 * us) / totalUs }));
}

function addSelfTimes(profile: CpuProfile, windows: readonly TimeWindow[], selfUs: Map<string, number>): void {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  let now = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    // A delta is the time since the sample before, which is the one that it belongs to.
    const delta = profile.timeDeltas[index + 1] ?? 0;
    now += profile.timeDeltas[index] ?? 0;
    if (!windows.some(([from, to]) => now >= from && now <= to)) continue;
    const name = names.get(id) ?? '(unknown)';
    selfUs.set(name, (selfUs.get(name) ?? 0) + delta);
  }
}

function nameOf(frame: CpuProfile['nodes'][number]['callFrame']): string {
  const name = frame.functionName || '(anonymous)';
  if (frame.url === '') return name;
  const file = frame.url.startsWith('file://') ? relative(process.cwd(), new URL(frame.url).pathname) : frame.url;
  return `${name} ${file}:${frame.lineNumber + 1}`;
}
