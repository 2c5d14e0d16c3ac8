/** CPU time per request of a running gateway. */
import type { Bench, Candidate, Contender, Metric, Sample } from './bench.ts';
import type { Gateway } from './peers/peer.ts';
import { readCpuTime, readRssBytes } from './proc.ts';
import { countSystemCalls } from './syscalls.ts';
import { verifyReplies, type Workload } from './workload.ts';
import { runWrk } from './wrk.ts';

export const CONNECTIONS = 64;
const WARM_UP_SECONDS = 1;
export const MEBIBYTE = 2 ** 20;

export const cpuMetrics: readonly Metric[] = [
  { key: 'cpuUs', title: 'CPU us/request', digits: 2 },
  { key: 'userUs', title: 'user us', digits: 2 },
  { key: 'systemUs', title: 'system us', digits: 2 },
];

export const latencyMetrics: readonly Metric[] = [
  { key: 'p50Us', title: 'p50 us', digits: 0 },
  { key: 'p99Us', title: 'p99 us', digits: 0 },
];

export const loadMetrics: readonly Metric[] = [
  ...cpuMetrics,
  { key: 'requestsPerSecond', title: 'requests/s', digits: 0 },
  ...latencyMetrics,
  { key: 'rssBytes', title: 'RSS MiB', digits: 1, scale: MEBIBYTE },
  { key: 'corePercent', title: 'core %', digits: 0 },
];

/**
 * Runs `load` and divides what the gateway's processes used meanwhile by the requests that they served. Only processes that live from the
 * start to the end count: one that waits beside the gateway (Photon's compiler) may end meanwhile, and served nothing.
 * @throws Error when the gateway itself has ended
 */
export async function measureCpu<Result extends { readonly requests: number }>(
  gateway: Gateway,
  load: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly userUs: number; readonly systemUs: number; readonly cpuUs: number }> {
  const pids = gateway.pids();
  const before = pids.map(readCpuTime);
  const result = await load();
  let userUs = 0;
  let systemUs = 0;
  for (const [index, pid] of pids.entries()) {
    const start = before[index];
    const end = readCpuTime(pid);
    if (index === 0 && end === null) throw new Error(`Cannot measure ${gateway.name}: it has ended`);
    if (!start || !end) continue;
    userUs += (end.userUs - start.userUs) / result.requests;
    systemUs += (end.systemUs - start.systemUs) / result.requests;
  }
  return { result, userUs, systemUs, cpuUs: userUs + systemUs };
}

/** A gateway that stays up for all the rounds, under closed-loop load. Its replies are verified before the first one. */
export async function loadContender(bench: Bench, candidate: Candidate, workload: Workload): Promise<Contender> {
  const { processes, seconds } = bench;
  const gateway = await candidate.start();
  await verifyReplies(gateway, workload);
  const load = { port: gateway.port, secure: gateway.secure, workload, connections: CONNECTIONS };

  async function measure(): Promise<Sample> {
    await runWrk(processes, { ...load, seconds: WARM_UP_SECONDS });
    const measured = await measureCpu(gateway, () => runWrk(processes, { ...load, seconds }));
    const { result, cpuUs, userUs, systemUs } = measured;
    return {
      ...{ cpuUs, userUs, systemUs },
      requestsPerSecond: (result.requests * 1e6) / result.durationUs,
      p50Us: result.p50Us,
      p99Us: result.p99Us,
      rssBytes: readRssBytes(gateway.pids()),
      corePercent: (100 * cpuUs * result.requests) / result.durationUs,
    };
  }

  return {
    name: candidate.name,
    version: candidate.version,
    measure,
    countSystemCalls: () => countSystemCalls(processes, gateway.pids(), load),
    stop: () => gateway.stop(),
  };
}

/** A gateway that is started anew for every round, as memory wants it. */
export function freshContender(candidate: Candidate, measure: (gateway: Gateway) => Promise<Sample>): Contender {
  async function measureFresh(): Promise<Sample> {
    const gateway = await candidate.start();
    try {
      return await measure(gateway);
    } finally {
      await gateway.stop();
    }
  }
  return { name: candidate.name, version: candidate.version, measure: measureFresh, stop: async () => {} };
}
