/** What a chain of middleware costs that many routes will have. */
import { type Case, peerCandidates, photonCandidate } from '../bench.ts';
import { loadContender, loadMetrics } from '../measure.ts';
import { CHAIN } from '../middleware.ts';
import { workloads } from '../origin.ts';
import { signedToken } from '../tokens.ts';

const withToken = {
  ...workloads.small,
  fields: { Origin: 'https://www.example.com', Authorization: `Bearer ${signedToken('HS256')}` },
};

export const fullChainCase: Case = {
  name: 'full-chain',
  about: 'proxy-small with a token (JWT) verified before, rate limit, CORS and transform, and without',
  metrics: loadMetrics,
  compared: ['cpuUs', 'userUs'],
  defaultPeers: ['nginx'],
  defaultRounds: 9,
  needs: ['nginx', 'wrk', 'taskset'],
  contenders: (bench) =>
    Promise.all([
      loadContender(bench, photonCandidate(bench, { name: 'photon-chain', middleware: CHAIN }), withToken),
      loadContender(bench, photonCandidate(bench), workloads.small),
      // The same requests without the chain: token and origin are read and passed on.
      loadContender(bench, photonCandidate(bench, { name: 'photon-same-requests' }), withToken),
      ...peerCandidates(bench).map((who) => loadContender(bench, who, workloads.small)),
    ]),
};
