import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSharedMemory, SharedCursor } from '../../../src/memory/shared-memory.ts';
import { RoundRobin } from '../../../src/upstream/balancing/round-robin.ts';

interface Server {
  readonly name: string;
  readonly weight: number;
  usable: boolean;
}

const serversOf = (weights: readonly number[]): Server[] =>
  weights.map((weight, index) => ({ name: 'abcdefgh'[index] as string, weight, usable: true }));

function newCursor(): SharedCursor {
  return new SharedCursor({ memory: createSharedMemory({ backends: [{ upstreams: [] }] }, 1), number: 0 });
}

const names = (balancer: RoundRobin<Server>, count: number) =>
  Array.from({ length: count }, () => balancer.pick()?.name ?? '-').join('');

describe('round robin', () => {
  test('takes turns', () => {
    assert.equal(names(new RoundRobin(serversOf([1, 1, 1]), newCursor()), 7), 'abcabca');
  });

  test('takes turns by weight, without a run of the heavier one', () => {
    assert.equal(names(new RoundRobin(serversOf([3, 1]), newCursor()), 12), 'aabaaabaaaba');
  });

  test('of several workers goes through one sequence', () => {
    const cursor = newCursor();
    const workers = [0, 1, 2].map(() => new RoundRobin(serversOf([1, 1, 1, 1]), cursor));
    const picked = Array.from({ length: 12 }, (_none, turn) => workers[turn % 3]?.pick()?.name).join('');
    assert.equal(picked, 'abcdabcdabcd');
  });

  test('never picks who is down or has no weight, and finds whoever is up: every pattern of four, from every place', () => {
    for (const weights of [
      [1, 1, 1, 1],
      [3, 1, 2, 1],
      [0, 1, 1, 0],
    ]) {
      for (let pattern = 0; pattern < 16; pattern++) {
        const servers = serversOf(weights);
        servers.forEach((server, index) => {
          server.usable = (pattern & (1 << index)) !== 0;
        });
        const balancer = new RoundRobin(servers, newCursor());
        const candidates = servers.filter(({ usable, weight }) => usable && weight > 0);
        const seen = new Set<Server | null>();
        for (let turn = 0; turn < 28; turn++) seen.add(balancer.pick());
        assert.deepEqual(
          seen,
          new Set(candidates.length === 0 ? [null] : candidates),
          `weights ${weights}, up ${pattern}`,
        );
      }
    }
  });

  test('asks on every pick who is up', () => {
    const servers = serversOf([1, 1]);
    const balancer = new RoundRobin(servers, newCursor());
    const [first] = servers as [Server, Server];
    first.usable = false;
    assert.equal(names(balancer, 3), 'bbb');
    first.usable = true;
    assert.equal(names(balancer, 2), 'ba');
  });

  test('goes on when the cursor passes 2^32', () => {
    const shared = createSharedMemory({ backends: [{ upstreams: [] }] }, 1);
    new Int32Array(shared.cursors)[0] = -2;
    const balancer = new RoundRobin(serversOf([1, 1, 1]), new SharedCursor({ memory: shared, number: 0 }));
    assert.match(names(balancer, 8), /^[abc]{2}abcabc$/);
  });
});
