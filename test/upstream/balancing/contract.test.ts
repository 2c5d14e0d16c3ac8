import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Algorithm } from '../../../src/config/config.ts';
import type { BalancedRequest, Balancer } from '../../../src/upstream/balancing/balancer.ts';
import { createBalancer } from '../../../src/upstream/balancing/create-balancer.ts';
import { StickySessions } from '../../../src/upstream/balancing/sticky-sessions.ts';
import { Random } from '../../support/random.ts';
import { isUsable, newCursor, requestOf, type Server, serversOf, setUsable } from './servers.ts';

const SEED = 20_261_125;
const PICKS = 100_000;

type Create = (servers: readonly Server[], random: Random, cursor?: ReturnType<typeof newCursor>) => Balancer<Server>;

interface Row {
  readonly name: string;
  readonly create: Create;
  /** How far a server's share of many picks may be off that of its weight. Null: load decides. */
  readonly tolerance: number | null;
}

const algorithm =
  (name: Algorithm, key = 'ip'): Create =>
  (servers, random, cursor = newCursor()) =>
    createBalancer(name, servers, { cursor, key, random: () => random.below(2 ** 32) / 2 ** 32 });

const sticky: Create = (servers, random, cursor) => {
  const otherwise = algorithm('random')(servers, random, cursor);
  return new StickySessions({ cookie: 'at', ttlMs: null, secure: false }, 'web', servers, otherwise);
};

/** What 150 points for each unit of weight give for the weights below: shares of a ring are never quite even. */
const RING_TOLERANCE = 0.05;

const ROWS: readonly Row[] = [
  { name: 'round_robin', create: algorithm('round_robin'), tolerance: 0.01 },
  { name: 'weighted_round_robin', create: algorithm('weighted_round_robin'), tolerance: 0.01 },
  { name: 'random', create: algorithm('random'), tolerance: 0.01 },
  { name: 'power_of_two', create: algorithm('power_of_two'), tolerance: 0.01 },
  { name: 'least_connections', create: algorithm('least_connections'), tolerance: null },
  { name: 'ip_hash', create: algorithm('ip_hash'), tolerance: RING_TOLERANCE },
  { name: 'consistent_hash by path', create: algorithm('consistent_hash', 'path'), tolerance: RING_TOLERANCE },
  { name: 'consistent_hash by header', create: algorithm('consistent_hash', 'header:K'), tolerance: RING_TOLERANCE },
  { name: 'consistent_hash by cookie', create: algorithm('consistent_hash', 'cookie:k'), tolerance: RING_TOLERANCE },
  { name: 'sticky over random, without the cookie', create: sticky, tolerance: 0.01 },
];

/** A request whose every key is random. */
function randomRequest(random: Random): BalancedRequest {
  const key = String(random.below(2 ** 32));
  return requestOf({
    clientAddress: `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`,
    path: `/items/${key}`,
    fields: { k: key, cookie: `a=b; k=${key}` },
  });
}

const WEIGHTS = [
  [1, 1, 1, 1],
  [3, 1, 2, 1],
  [0, 1, 1, 0],
  [0, 0, 0, 7],
  [1_000_000, 1, 0, 500],
  [0, 0, 0, 0],
];

for (const { name, create, tolerance } of ROWS) {
  describe(name, () => {
    test('picks only who is eligible and has a weight, and always when there is one: every pattern of four', () => {
      const random = new Random(SEED);
      for (const weights of WEIGHTS) {
        for (let up = 0; up < 16; up++) {
          const servers = serversOf(weights);
          const balancer = create(servers, random);
          setUsable(servers, up);
          const allowed = servers.filter(({ usable, weight }) => usable && weight > 0);
          for (let turn = 0; turn < 40; turn++) {
            for (const server of servers) server.inFlight = random.below(4);
            const picked = balancer.pick(randomRequest(random), isUsable);
            const context = `weights ${weights}, up ${up.toString(2)}, picked ${picked?.key}`;
            assert.ok(allowed.length === 0 ? picked === null : allowed.includes(picked as Server), context);
          }
        }
      }
    });

    test('finds the only one of two hundred that is eligible', () => {
      const random = new Random(SEED);
      const servers = serversOf(new Array(200).fill(1));
      const balancer = create(servers, random);
      for (let only = 0; only < 200; only++) {
        const picked = balancer.pick(randomRequest(random), (server) => server === servers[only]);
        assert.equal(picked, servers[only]);
      }
    });

    test('asks on every pick who is eligible', () => {
      const random = new Random(SEED);
      const servers = serversOf([1, 1]);
      const balancer = create(servers, random);
      const [first, second] = servers as [Server, Server];
      const request = randomRequest(random);
      for (let turn = 0; turn < 20; turn++) {
        setUsable(servers, 0b10);
        assert.equal(balancer.pick(request, isUsable), second);
        setUsable(servers, 0b01);
        assert.equal(balancer.pick(request, isUsable), first);
      }
      setUsable(servers, 0);
      assert.equal(balancer.pick(request, isUsable), null);
    });

    test('uses everybody, whichever the others are: every pattern of four', () => {
      const random = new Random(SEED);
      for (let up = 1; up < 16; up++) {
        const servers = serversOf([1, 1, 1, 1]);
        const balancer = create(servers, random);
        setUsable(servers, up);
        const seen = new Set<Server | null>();
        for (let turn = 0; turn < 400; turn++) seen.add(balancer.pick(randomRequest(random), isUsable));
        assert.deepEqual(seen, new Set(servers.filter(isUsable)), `up ${up.toString(2)}`);
      }
    });

    if (tolerance === null) return;

    for (const weights of [
      [1, 1, 1],
      [3, 1],
      [5, 0, 3, 2],
      [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    ]) {
      test(`of several workers gives shares of ${weights.join(':')}, to ${tolerance * 100} % of all picks`, () => {
        const random = new Random(SEED);
        const servers = serversOf(weights);
        const cursor = newCursor();
        const workers = [0, 1, 2].map(() => create(servers, random, cursor));
        const counts = new Map<Server | null, number>();
        for (let turn = 0; turn < PICKS; turn++) {
          const picked = (workers[turn % 3] as Balancer<Server>).pick(randomRequest(random), isUsable);
          counts.set(picked, (counts.get(picked) ?? 0) + 1);
        }
        assertShares(servers, counts, tolerance);
      });
    }

    test('gives shares by weight of those that are left, when one is down', () => {
      const random = new Random(SEED);
      const servers = serversOf([2, 1, 1]);
      const balancer = create(servers, random);
      setUsable(servers, 0b011);
      const counts = new Map<Server | null, number>();
      for (let turn = 0; turn < PICKS; turn++) {
        const picked = balancer.pick(randomRequest(random), isUsable);
        counts.set(picked, (counts.get(picked) ?? 0) + 1);
      }
      assertShares(servers.filter(isUsable), counts, tolerance);
    });
  });
}

function assertShares(servers: readonly Server[], counts: ReadonlyMap<Server | null, number>, tolerance: number): void {
  const sum = servers.reduce((total, { weight }) => total + weight, 0);
  for (const server of servers) {
    const share = (counts.get(server) ?? 0) / PICKS;
    const off = Math.abs(share - server.weight / sum);
    assert.ok(off <= tolerance, `${server.key} has ${share}, which is ${off} off`);
  }
}
