/** How many requests a rate limit lets pass, when two workers count one key and all the time more come than may pass. */
import { type Bench, type Case, photonCandidate, type Sample } from '../bench.ts';
import { freshContender } from '../measure.ts';
import { runOpenLoop } from '../open-loop.ts';
import { workloads } from '../origin.ts';
import type { Gateway } from '../peers/peer.ts';

const PER_SECOND = 1000;
const BURST = 1000;
const OFFERED_PER_SECOND = 3000;
const CONNECTIONS = 32;
const WORKERS = 2;

const LIMIT = {
  names: ['rate_limit'],
  block: { rate_limiting: { requests_per_second: PER_SECOND, burst: BURST, key: 'ip' } },
};

export const limitPassedCase: Case = {
  name: 'limit-passed',
  about: `a limit of ${PER_SECOND}/s and burst ${BURST}, two workers, one client of ${OFFERED_PER_SECOND}/s: how many pass, by its clock`,
  metrics: [
    { key: 'passed', title: 'passed', digits: 0 },
    { key: 'due', title: 'burst + rate x time', digits: 1 },
    { key: 'deviationPercent', title: 'deviation %', digits: 3 },
    { key: 'passingMs', title: 'first to last, ms', digits: 1 },
    { key: 'offeredPerSecond', title: 'offered/s', digits: 0 },
    { key: 'workers', title: 'workers', digits: 0 },
  ],
  compared: [],
  defaultPeers: [],
  defaultRounds: 3,
  defaultSeconds: 10,
  needs: ['taskset'],
  contenders: async (bench) => {
    const candidate = photonCandidate(bench, { workers: WORKERS, middleware: LIMIT, onAllCores: true });
    return [freshContender(candidate, (gateway) => measurePassed(bench, gateway))];
  },
};

async function measurePassed({ seconds }: Bench, { port }: Gateway): Promise<Sample> {
  const load = { port, workload: workloads.small, connections: CONNECTIONS, requestsPerSecond: OFFERED_PER_SECOND };
  const { sent, passed, passingMs, workers } = await runOpenLoop({ ...load, seconds });
  if (workers !== WORKERS)
    throw new Error(`Cannot measure the limit: want replies of ${WORKERS} workers, got ${workers}`);
  const due = BURST + (PER_SECOND * passingMs) / 1000;
  return {
    ...{ passed, due, passingMs, workers },
    deviationPercent: (100 * (passed - due)) / due,
    offeredPerSecond: sent / seconds,
  };
}
