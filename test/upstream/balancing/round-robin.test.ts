import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSharedMemory, SharedCursor } from '../../../src/memory/shared-memory.ts';
import type { BalancedRequest, Candidate } from '../../../src/upstream/balancing/balancer.ts';
import { RoundRobin } from '../../../src/upstream/balancing/round-robin.ts';

interface Server extends Candidate {
  usable: boolean;
}

const serversOf = (weights: readonly number[]): Server[] =>
  weights.map((weight, index) => ({ key: 'abcdefgh'[index] as string, weight, inFlight: 0, usable: true }));

const REQUEST: BalancedRequest = { clientAddress: '192.0.2.1', path: '/', headerValue: () => undefined };

const pickOf = (balancer: RoundRobin<Server> | undefined) => balancer?.pick(REQUEST, ({ usable }) => usable) ?? null;

function newCursor(): SharedCursor {
  return new SharedCursor({ memory: createSharedMemory({ backends: [{ upstreams: [] }] }, 1), number: 0 });
}

const names = (balancer: RoundRobin<Server>, count: number) =>
  Array.from({ length: count }, () => pickOf(balancer)?.key ?? '-').join('');

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
    const picked = Array.from({ length: 12 }, (_none, turn) => pickOf(workers[turn % 3])?.key).join('');
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
        for (let turn = 0; turn < 28; turn++) seen.add(pickOf(balancer));
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
