/** Choosing an upstream: at most 150 ns among 10, and 1.5 us among 1000, whatever the algorithm. */
import { bench, do_not_optimize, run, summary } from 'mitata';
import { createSharedMemory, SharedCount, SharedCursor, type SharedMemory } from '../../src/memory/shared-memory.ts';
import { UpstreamState } from '../../src/memory/upstream-state.ts';
import type { BalancedRequest, Candidate } from '../../src/upstream/balancing/balancer.ts';
import { createBalancer } from '../../src/upstream/balancing/create-balancer.ts';

const WORKERS = 4;
/** A power of two. */
const REQUEST_COUNT = 1024;

/** Counted and judged as an upstream is: in-flight counts are a sum over the rows of all workers. */
class Server implements Candidate {
  readonly key: string;
  readonly weight: number;
  readonly state: UpstreamState;
  readonly #inFlight: SharedCount;

  constructor(memory: SharedMemory, number: number) {
    const slot = { memory, number };
    this.key = `10.0.${number >> 8}.${number & 255}:8080`;
    this.weight = 1 + (number % 3);
    this.state = new UpstreamState(slot);
    for (let row = 0; row < WORKERS; row++) SharedCount.upstreamInFlight(slot, row).add((number * 7 + row) % 5);
    this.#inFlight = SharedCount.upstreamInFlight(slot, 0);
  }

  get inFlight(): number {
    return this.#inFlight.total;
  }
}

function makeServers(count: number): readonly Server[] {
  const memory = createSharedMemory({ backends: [{ upstreams: new Array(count) }] }, WORKERS);
  return Array.from({ length: count }, (_none, number) => new Server(memory, number));
}

/** In one piece, as texts from a socket are. */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

const requests: readonly BalancedRequest[] = Array.from({ length: REQUEST_COUNT }, (_none, number) => {
  const fields = new Map([
    ['x-user', flat(`user-${number * 7919}`)],
    ['cookie', flat(`theme=dark; session=${number * 104_729}; lang=en`)],
  ]);
  return {
    clientAddress: flat(`192.0.${number & 255}.${number >> 8}`),
    path: flat(`/api/v1/items/${number}`),
    headerValue: (name) => fields.get(name),
    keyValue: (name) => fields.get(name),
  };
});

const CASES = [
  ['round_robin', 'ip'],
  ['least_connections', 'ip'],
  ['ip_hash', 'ip'],
  ['consistent_hash', 'path'],
  ['consistent_hash', 'header:x-user'],
  ['consistent_hash', 'cookie:session'],
  ['random', 'ip'],
  ['power_of_two', 'ip'],
] as const;

const isWell = ({ state }: Server): boolean => state.healthy;

for (const count of [10, 64, 1000]) {
  const servers = makeServers(count);
  summary(() => {
    for (const [algorithm, key] of CASES) {
      const memory = createSharedMemory({ backends: [{ upstreams: [] }] }, 1);
      const cursor = new SharedCursor({ memory, number: 0 });
      const balancer = createBalancer(algorithm, servers, { cursor, key, random: Math.random });
      // Rings and sequences are made at the first pick, which is not what is measured here.
      balancer.pick(requests[0] as BalancedRequest, isWell);
      let next = 0;
      bench(`${algorithm}${algorithm === 'consistent_hash' ? ` by ${key}` : ''}, ${count} upstreams`, () => {
        next = (next + 1) & (REQUEST_COUNT - 1);
        do_not_optimize(balancer.pick(requests[next] as BalancedRequest, isWell));
      });
    }
  });
}

await run();
