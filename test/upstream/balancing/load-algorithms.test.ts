import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LeastConnections } from '../../../src/upstream/balancing/least-connections.ts';
import { PowerOfTwo } from '../../../src/upstream/balancing/power-of-two.ts';
import { WeightedRandom } from '../../../src/upstream/balancing/weighted-random.ts';
import { Random } from '../../support/random.ts';
import { isUsable, requestOf, type Server, serversOf, setUsable } from './servers.ts';

const SEED = 42;

function randomNumbers(): () => number {
  const random = new Random(SEED);
  return () => random.below(2 ** 32) / 2 ** 32;
}

const withLoads = (weights: readonly number[], loads: readonly number[]): Server[] =>
  serversOf(weights).map((server, index) => ({ ...server, inFlight: loads[index] as number }));

/** Shares of 20,000 picks, by key. */
function sharesOf(balancer: { pick: LeastConnections<Server>['pick'] }): Record<string, number> {
  const shares: Record<string, number> = {};
  for (let turn = 0; turn < 20_000; turn++) {
    const key = balancer.pick(requestOf(), isUsable)?.key ?? 'none';
    shares[key] = (shares[key] ?? 0) + 1 / 20_000;
  }
  return shares;
}

/** Divides into as many parts as there are among the sums of the weights below, up to four. */
const PARTS = 12;

/** What a pick can come to, with the chance of each: every number of equal parts is drawn in every place. */
function chancesOf<T>(pick: (random: () => number) => T): Map<T, number> {
  const chances = new Map<T, number>();
  const drawn: number[] = [];
  do {
    let used = 0;
    const result = pick(() => {
      if (used === drawn.length) drawn.push(0);
      return ((drawn[used++] as number) + 0.5) / PARTS;
    });
    chances.set(result, (chances.get(result) ?? 0) + PARTS ** -used);
    while (drawn.length > 0 && ++(drawn[drawn.length - 1] as number) === PARTS) drawn.pop();
  } while (drawn.length > 0);
  return chances;
}

/** What it should be: one by its weight, another one of the others by its weight, and of them the one with less under way for its weight. */
function chancesOfTwo(servers: readonly Server[]): Map<string | undefined, number> {
  const able = servers.filter(({ usable, weight }) => usable && weight > 0);
  const sumOf = (some: readonly Server[]) => some.reduce((sum, { weight }) => sum + weight, 0);
  const chances = new Map<string | undefined, number>(able.length === 0 ? [[undefined, 1]] : []);
  for (const first of able) {
    const others = able.filter((each) => each !== first);
    const chance = first.weight / sumOf(able);
    const pairs = others.map((second) => ({ second, share: (chance * second.weight) / sumOf(others) }));
    for (const { second, share } of pairs.length === 0 ? [{ second: first, share: chance }] : pairs) {
      const { key } = second.inFlight / second.weight < first.inFlight / first.weight ? second : first;
      chances.set(key, (chances.get(key) ?? 0) + share);
    }
  }
  return chances;
}

function expectChances(seen: Map<string | undefined, number>, expected: Map<string | undefined, number>): void {
  assert.deepEqual([...seen.keys()].sort(), [...expected.keys()].sort());
  for (const [key, chance] of expected) {
    assert.ok(Math.abs((seen.get(key) ?? 0) - chance) < 1e-9, `${key}: ${seen.get(key)} in the place of ${chance}`);
  }
}

const EXACT = [
  { weights: [1, 1], maxDraws: 0 },
  { weights: [1, 1], maxDraws: 3 },
  { weights: [3, 1], maxDraws: 2 },
  { weights: [1, 2, 1], maxDraws: 0 },
  { weights: [1, 2, 1], maxDraws: 1 },
  { weights: [1, 1, 1], maxDraws: 2 },
  { weights: [1, 1, 1, 1], maxDraws: 0 },
  { weights: [1, 1, 1, 1], maxDraws: 1 },
  { weights: [1, 0, 2, 1], maxDraws: 1 },
];

const LOADS = [
  [0, 0, 0, 0],
  [3, 2, 1, 0],
  [0, 4, 1, 4],
];

describe('least connections', () => {
  for (const { weights, loads, picked, why } of [
    { weights: [1, 1, 1], loads: [2, 1, 3], picked: 'b', why: 'the fewest' },
    { weights: [1, 2, 1], loads: [2, 3, 3], picked: 'b', why: '(3 + 1) / 2 is below (2 + 1) / 1' },
    { weights: [4, 1], loads: [2, 0], picked: 'a', why: 'the request to come counts too: 3/4 is below 1' },
    { weights: [0, 1], loads: [0, 9], picked: 'b', why: 'no weight, no traffic' },
    { weights: [3, 1], loads: [0, 0], picked: 'a', why: 'where nothing is under way, the heaviest' },
  ]) {
    test(`with weights ${weights.join(':')} and ${loads.join(':')} under way picks ${picked}: ${why}`, () => {
      const balancer = new LeastConnections(withLoads(weights, loads), randomNumbers());
      for (let turn = 0; turn < 20; turn++) assert.equal(balancer.pick(requestOf(), isUsable)?.key, picked);
    });
  }

  test('leaves it to chance between equals, the same chance for each', () => {
    const shares = sharesOf(new LeastConnections(withLoads([1, 1, 2, 1, 1], [1, 5, 3, 1, 2]), randomNumbers()));
    assert.deepEqual(Object.keys(shares).sort(), ['a', 'c', 'd']);
    for (const share of Object.values(shares)) assert.ok(Math.abs(share - 1 / 3) < 0.015, JSON.stringify(shares));
  });

  test('keeps counts even when every pick is counted', () => {
    const servers = serversOf([1, 1, 1, 1]);
    const balancer = new LeastConnections(servers, randomNumbers());
    for (let turn = 0; turn < 400; turn++) {
      const picked = balancer.pick(requestOf(), isUsable) as Server;
      picked.inFlight++;
    }
    assert.deepEqual(
      servers.map(({ inFlight }) => inFlight),
      [100, 100, 100, 100],
    );
  });

  test('looks at all of 64, and at eight of 65 while one of them is eligible', () => {
    const looksAt = (count: number): number => {
      let looks = 0;
      const servers = serversOf(new Array(count).fill(1));
      for (const server of servers) Object.defineProperty(server, 'inFlight', { get: () => looks++ });
      new LeastConnections(servers, randomNumbers()).pick(requestOf(), isUsable);
      return looks;
    };
    assert.equal(looksAt(64), 64);
    assert.equal(looksAt(65), 8);
  });

  test('of many picks rarely a busy one', () => {
    const servers = serversOf(new Array(100).fill(1));
    for (const [index, server] of servers.entries()) server.inFlight = index < 50 ? 10 : 0;
    const balancer = new LeastConnections(servers, randomNumbers());
    let busy = 0;
    for (let turn = 0; turn < 10_000; turn++) busy += Math.sign(balancer.pick(requestOf(), isUsable)?.inFlight ?? 0);
    assert.ok(busy < 100, `${busy} of 10000: eight random ones are all busy once in 256`);
  });
});

describe('power of two', () => {
  test('of two always picks the one with less under way for its weight', () => {
    for (const { weights, loads, picked } of [
      { weights: [1, 1], loads: [3, 2], picked: 'b' },
      { weights: [3, 1], loads: [3, 2], picked: 'a' },
    ]) {
      const shares = sharesOf(new PowerOfTwo(withLoads(weights, loads), randomNumbers()));
      assert.deepEqual(Object.keys(shares), [picked]);
    }
  });

  // A generator that always says the same draws the first candidate again and again.
  for (const weights of [
    [1, 1, 1, 1],
    [1000, 1, 1, 1],
    [1, 1, 1, 1000],
    [5, 0, 3, 1],
  ]) {
    test(`never picks the busiest of several, whichever of the weights ${weights} are usable and whatever chance says`, () => {
      for (let up = 0; up < 16; up++) {
        for (const drawn of [0, 0.25, 0.5, 0.75, 0.999_999]) {
          const servers = withLoads(
            weights,
            weights.map((weight, index) => weight * ([7, 40, 3, 9][index] as number)),
          );
          setUsable(servers, up);
          const able = servers.filter(({ usable, weight }) => usable && weight > 0);
          const picked = new PowerOfTwo(servers, () => drawn).pick(requestOf(), isUsable);
          if (able.length < 2) {
            assert.equal(picked, able[0] ?? null);
            continue;
          }
          const loads = able.map(({ inFlight, weight }) => inFlight / weight);
          assert.ok(picked !== null && able.includes(picked));
          assert.ok(picked.inFlight / picked.weight < Math.max(...loads), `${picked.key} of ${up}, drawn ${drawn}`);
        }
      }
    });
  }

  for (const { weights, maxDraws } of EXACT) {
    test(`of weights ${weights.join(':')} compares two with just the chance of each, whichever are usable, after ${maxDraws} draws`, () => {
      for (let up = 0; up < 2 ** weights.length; up++) {
        for (const loads of LOADS) {
          const servers = withLoads(weights, loads);
          setUsable(servers, up);
          const seen = chancesOf(
            (random) => new PowerOfTwo(servers, random, maxDraws).pick(requestOf(), isUsable)?.key,
          );
          expectChances(seen, chancesOfTwo(servers));
        }
      }
    });
  }

  test('picks each of the others as often as its weight says', () => {
    const shares = sharesOf(new PowerOfTwo(withLoads([1, 1, 2], [9, 0, 0]), randomNumbers()));
    assert.equal(shares['a'] ?? 0, 0);
    // Drawn first: b 1/4, c 1/2; after a (1/4) b 1/3, c 2/3.
    assert.ok(Math.abs((shares['b'] ?? 0) - 1 / 3) < 0.02, JSON.stringify(shares));
  });
});

test('chance decides by the weights, also among the few of many that are eligible', () => {
  const servers = serversOf(Array.from({ length: 300 }, (_none, index) => (index === 299 ? 2 : 1)));
  for (const server of servers.slice(2, 299)) server.usable = false;
  const shares = sharesOf(new WeightedRandom(servers, randomNumbers()));
  for (const [key, share] of [
    ['a', 0.25],
    ['b', 0.25],
    ['server-299', 0.5],
  ] as const) {
    assert.ok(Math.abs((shares[key] ?? 0) - share) < 0.015, JSON.stringify(shares));
  }
});
