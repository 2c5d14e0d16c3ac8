/**
 * Whole exchanges without sockets: the request's bytes come in, are decoded, routed and written anew for the upstream, and the reply
 * takes the way back; or the request is refused. What is left out is the system's part, so this is what a request costs in user time.
 */
import { bench, do_not_optimize, run } from 'mitata';
import { MemoryGateway } from '../memory-gateway.ts';
import { CHAIN, LIMIT, SHARED_KEY } from '../middleware.ts';
import { requestBytes, SMALL_REPLY } from '../sample-messages.ts';
import { forgedTokens, signedToken } from '../tokens.ts';
import { tokenOf } from '../workload.ts';

/** Of these one after the other. */
const FORGED = 64;

const authorization = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });
const origin = { Origin: 'https://www.example.com' };
const pattern = forgedTokens('HS256');
const forged = Array.from({ length: FORGED }, (_none, number) => requestBytes(authorization(tokenOf(pattern, number))));

const withToken = [requestBytes({ ...origin, ...authorization(signedToken('HS256')) })];
const bare = [requestBytes({})];

for (const { name, middleware, requests } of [
  { name: 'one exchange, head to tail', requests: bare },
  { name: 'the same with token and origin, which nobody looks at', requests: withToken },
  { name: 'the same through token, limit, CORS and transform', middleware: CHAIN, requests: withToken },
  { name: 'refused with 429', middleware: LIMIT, requests: bare },
  { name: 'refused with 401, no token', middleware: SHARED_KEY, requests: bare },
  { name: 'refused with 401, a forged token (HS256)', middleware: SHARED_KEY, requests: forged },
]) {
  const gateway = new MemoryGateway(middleware);
  let next = 0;
  const exchange = (): number => {
    next = (next + 1) % requests.length;
    return gateway.exchange(requests[next] as Buffer, SMALL_REPLY);
  };
  for (let turn = 0; turn < 2; turn++) if (exchange() === 0) throw new Error('no reply came through');
  bench(name, () => do_not_optimize(exchange()));
}

await run();
