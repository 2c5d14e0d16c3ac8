/** What it costs to look after upstreams: health checks, circuit breaker and counts of what is under way. */
import { type Case, peerCandidates, photonCandidate } from '../bench.ts';
import { loadContender, loadMetrics } from '../measure.ts';
import { workloads } from '../origin.ts';

const GUARDED = 'algorithm: least_connections, health_check: { check_type: tcp, interval: 1s }';
const UNGUARDED = 'circuit_breaker: { enabled: false }, health_check: { enabled: false }';

export const proxyGuardedCase: Case = {
  name: 'proxy-guarded',
  about: 'proxy-small with health checks, circuit breaker and least_connections, and without',
  metrics: loadMetrics,
  compared: ['cpuUs', 'userUs'],
  defaultPeers: ['nginx', 'haproxy'],
  defaultRounds: 9,
  needs: ['nginx', 'wrk', 'taskset'],
  contenders: (bench) => {
    const photons = [
      photonCandidate(bench, { name: 'photon-guarded', backend: GUARDED }),
      photonCandidate(bench, { name: 'photon', backend: UNGUARDED }),
    ];
    return Promise.all([...photons, ...peerCandidates(bench)].map((who) => loadContender(bench, who, workloads.small)));
  },
};
