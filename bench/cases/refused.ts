/** What a request costs that is refused, for that is what an attacker sends most of. */
import { type Candidate, type Case, type MiddlewareWish, photonCandidate } from '../bench.ts';
import { loadContender, loadMetrics } from '../measure.ts';
import { LIMIT, PUBLIC_KEY, SHARED_KEY } from '../middleware.ts';
import { workloads } from '../origin.ts';
import { forgedTokens } from '../tokens.ts';
import { fetchWhole, type Workload } from '../workload.ts';

/** A problem of RFC 9457, with an id of its own each. */
const refusal = (replyStatus: number): Workload => ({
  ...workloads.small,
  ...{ replyStatus, replyBytes: 150, replySha256: null },
});

const KINDS: readonly { readonly name: string; readonly middleware: MiddlewareWish; readonly workload: Workload }[] = [
  { name: 'over-limit', middleware: LIMIT, workload: refusal(429) },
  { name: 'no-token', middleware: SHARED_KEY, workload: refusal(401) },
  { name: 'forged-HS256', middleware: SHARED_KEY, workload: { ...refusal(401), tokens: forgedTokens('HS256') } },
  { name: 'forged-RS256', middleware: PUBLIC_KEY, workload: { ...refusal(401), tokens: forgedTokens('RS256') } },
];

export const refusedCase: Case = {
  name: 'refused',
  about:
    'requests refused (429 over a limit; 401 without a token, or with forged ones, another each time), over proxied',
  metrics: loadMetrics,
  compared: ['cpuUs', 'userUs'],
  othersByFirst: true,
  defaultPeers: [],
  defaultRounds: 9,
  needs: ['wrk', 'taskset'],
  contenders: (bench) =>
    Promise.all([
      loadContender(bench, photonCandidate(bench, { name: 'proxied' }), workloads.small),
      ...KINDS.map(({ name, middleware, workload }) =>
        loadContender(bench, withEmptyBucket(photonCandidate(bench, { name, middleware })), workload),
      ),
    ]),
};

/** The one request that the limit lets pass is gone. */
function withEmptyBucket(candidate: Candidate): Candidate {
  async function start() {
    const gateway = await candidate.start();
    await fetchWhole(gateway, '/', workloads.small);
    return gateway;
  }
  return { ...candidate, start };
}
