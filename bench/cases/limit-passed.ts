/** How many requests a rate limit lets pass, when two workers count one key and all the time more come than may pass. */
import { type Bench, type Case, photonCandidate, type Sample } from '../bench.ts';
import { freshContender } from '../measure.ts';
import { runOpenLoop } from '../open-loop.ts';
import { workloads } from '../origin.ts';
import type { Gateway } from '../peers/peer.ts';

const PER_SECOND = 1000;
const BURST = 1000;
const OFFERED_PER_SECOND = 3000;
const CONNECTIONS_PER_WORKER = 16;
const WORKERS = 2;
const workload = workloads.small;

const LIMIT = {
  names: ['rate_limit'],
  block: { rate_limiting: { requests_per_second: PER_SECOND, burst: BURST, key: 'ip' } },
};

export const limitPassedCase: Case = {
  name: 'limit-passed',
  about: `a limit of ${PER_SECOND}/s and burst ${BURST}, two workers on all cores, one client of ${OFFERED_PER_SECOND}/s: how many pass, by its clock`,
  metrics: [
    { key: 'passed', title: 'passed', digits: 0 },
    { key: 'due', title: 'burst + rate x time', digits: 1 },
    { key: 'deviationPercent', title: 'deviation %', digits: 3 },
    { key: 'passingMs', title: 'first request to last reply, ms', digits: 1 },
    { key: 'offeredPerSecond', title: 'offered/s', digits: 0 },
    { key: 'leastOfWorker', title: 'replies of the worker with fewest', digits: 0 },
  ],
  compared: [],
  defaultPeers: [],
  defaultRounds: 3,
  defaultSeconds: 10,
  needs: ['taskset'],
  contenders: async (bench) => {
    const candidate = photonCandidate(bench, {
      paths: workload.paths,
      workers: WORKERS,
      middleware: LIMIT,
      onAllCores: true,
    });
    return [freshContender(candidate, (gateway) => measurePassed(bench, gateway))];
  },
};

async function measurePassed({ seconds }: Bench, { port }: Gateway): Promise<Sample> {
  const rate = { requestsPerSecond: OFFERED_PER_SECOND, seconds };
  const spread = { workers: WORKERS, connectionsPerWorker: CONNECTIONS_PER_WORKER };
  const { sent, passed, passingMs, leastOfWorker } = await runOpenLoop({ port, workload, ...rate, ...spread });
  const due = BURST + (PER_SECOND * passingMs) / 1000;
  return {
    ...{ passed, due, passingMs, leastOfWorker },
    deviationPercent: (100 * (passed - due)) / due,
    offeredPerSecond: sent / seconds,
  };
}
