/** What a rate limit costs when two workers count one key. */
import { type Case, photonCandidate } from '../bench.ts';
import { loadContender, loadMetrics } from '../measure.ts';
import { workloads } from '../origin.ts';

/** One key for all clients of one machine, and a limit that none is over. */
const LIMIT = {
  names: ['rate_limit'],
  block: { rate_limiting: { requests_per_second: 10_000_000, key: 'ip' } },
};

export const limitContendedCase: Case = {
  name: 'limit-contended',
  about: 'GET, reply of 64 bytes, two workers, all requests of one client: with a rate limit and without',
  metrics: loadMetrics,
  compared: ['cpuUs', 'userUs'],
  defaultPeers: [],
  defaultRounds: 9,
  needs: ['wrk', 'taskset'],
  contenders: (bench) => {
    const photons = [
      photonCandidate(bench, { name: 'photon-limited', workers: 2, middleware: LIMIT }),
      photonCandidate(bench, { name: 'photon', workers: 2 }),
    ];
    return Promise.all(photons.map((who) => loadContender(bench, who, workloads.small)));
  },
};
