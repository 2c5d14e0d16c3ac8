import { allCandidates, type Bench, type Candidate, type Case, type Contender, type Sample } from '../bench.ts';
import { runRated } from '../h2load.ts';
import { CONNECTIONS, cpuMetrics, latencyMetrics, measureCpu } from '../measure.ts';
import { workloads } from '../origin.ts';
import { nginx } from '../peers/nginx.ts';
import { spreadOf } from '../statistics.ts';
import { verifyReplies } from '../workload.ts';
import { runWrk } from '../wrk.ts';

const SHARE_OF_MAXIMUM = 0.6;
const MAXIMUM_ROUNDS = 3;
const workload = workloads.small;

/** Latency says something only below saturation: everybody gets 60 % of what nginx can do at most, measured first. */
export const latencyCase: Case = {
  name: 'latency',
  about: 'GET, reply of 64 bytes, at a fixed rate: 60 % of the most that nginx serves',
  metrics: [
    ...latencyMetrics,
    ...cpuMetrics,
    { key: 'requestsPerSecond', title: 'requests/s', digits: 0 },
    { key: 'ratePercent', title: 'of the rate asked for %', digits: 1 },
  ],
  compared: ['p50Us', 'p99Us', 'cpuUs'],
  defaultPeers: ['nginx'],
  defaultRounds: 9,
  needs: ['nginx', 'wrk', 'h2load', 'taskset'],
  contenders: async (bench) => {
    const requestsPerSecond = SHARE_OF_MAXIMUM * (await measureNginxMaximum(bench));
    return Promise.all(allCandidates(bench).map((candidate) => ratedContender(bench, candidate, requestsPerSecond)));
  },
};

async function measureNginxMaximum(bench: Bench): Promise<number> {
  const { processes, machine, origin, seconds } = bench;
  const gateway = await nginx.start({ processes, core: machine.gatewayCore, originPort: origin.port, secure: false });
  const load = { port: gateway.port, secure: false, workload, connections: CONNECTIONS, seconds };
  const rates: number[] = [];
  for (let round = 0; round < MAXIMUM_ROUNDS; round++) {
    const { requests, durationUs } = await runWrk(processes, load);
    rates.push((requests * 1e6) / durationUs);
  }
  await gateway.stop();
  return spreadOf(rates).median;
}

async function ratedContender(bench: Bench, candidate: Candidate, requestsPerSecond: number): Promise<Contender> {
  const { processes, seconds } = bench;
  const gateway = await candidate.start();
  await verifyReplies(gateway, workload);
  const load = { port: gateway.port, secure: false, workload, connections: CONNECTIONS };
  await runWrk(processes, { ...load, seconds: 1 });

  async function measure(): Promise<Sample> {
    const { result, cpuUs, userUs, systemUs } = await measureCpu(gateway, () =>
      runRated(processes, { ...load, seconds, requestsPerSecond }),
    );
    const { requests, p50Us, p99Us } = result;
    const servedPerSecond = requests / seconds;
    const ratePercent = (100 * servedPerSecond) / requestsPerSecond;
    return { p50Us, p99Us, cpuUs, userUs, systemUs, requestsPerSecond: servedPerSecond, ratePercent };
  }

  return { name: candidate.name, version: candidate.version, measure, stop: () => gateway.stop() };
}
