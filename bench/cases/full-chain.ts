/** What a chain of middleware costs that many routes will have. */
import { type Case, peerCandidates, photonCandidate } from '../bench.ts';
import { loadContender, loadMetrics } from '../measure.ts';
import { workloads } from '../origin.ts';
import { SECRET, signedToken } from '../tokens.ts';

/** A limit that none is over, claims that go upstream, a page that may read, and a header more and one less on each side. */
const CHAIN = {
  names: ['cors', 'rate_limit', 'auth', 'transform'],
  block: {
    cors: { allowed_origins: ['https://www.example.com'], allow_credentials: true },
    rate_limiting: { requests_per_second: 10_000_000, key: 'ip' },
    authentication: {
      auth_type: 'jwt',
      jwt: { secret: SECRET, algorithm: 'HS256', forward_claims: { sub: 'X-User-ID' } },
    },
    transform: {
      request_headers: { set: { 'X-Gateway': 'photon' }, remove: ['X-Debug'] },
      response_headers: { add: { 'X-Served-By': '{route}' }, remove: ['Server'] },
    },
  },
};

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
