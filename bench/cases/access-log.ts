/** What a line for every request costs, the thread that writes the file included. */
import { type Case, peerCandidates, photonCandidate } from '../bench.ts';
import { loadContender, loadMetrics } from '../measure.ts';
import { workloads } from '../origin.ts';

export const accessLogCase: Case = {
  name: 'access-log',
  about: 'GET, reply of 64 bytes, with an access log to a file and without',
  metrics: loadMetrics,
  compared: ['cpuUs', 'userUs'],
  defaultPeers: ['nginx', 'nginx-log', 'nginx-log-buffered'],
  defaultRounds: 9,
  needs: ['nginx', 'wrk', 'taskset'],
  contenders: (bench) => {
    const photons = [photonCandidate(bench, { name: 'photon-log', accessLog: true }), photonCandidate(bench)];
    const candidates = [...photons, ...peerCandidates(bench)];
    return Promise.all(candidates.map((who) => loadContender(bench, who, workloads.small)));
  },
};
