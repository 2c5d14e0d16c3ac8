import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSharedMemory, SharedCursor } from '../../../src/memory/shared-memory.ts';
import { RoundRobin } from '../../../src/upstream/balancing/round-robin.ts';
import { isUsable, newCursor, requestOf, type Server, serversOf, setUsable } from './servers.ts';

const pickOf = (balancer: RoundRobin<Server> | undefined) => balancer?.pick(requestOf(), isUsable) ?? null;

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

  test('gives the turns of one that is down to all others', () => {
    const servers = serversOf([1, 1, 1]);
    setUsable(servers, 0b011);
    assert.equal(names(new RoundRobin(servers, newCursor()), 8), 'abababab');
  });

  test('goes on when the cursor passes 2^32', () => {
    const shared = createSharedMemory({ backends: [{ upstreams: [] }] }, 1);
    new Int32Array(shared.cursors)[0] = -2;
    const balancer = new RoundRobin(serversOf([1, 1, 1]), new SharedCursor({ memory: shared, number: 0 }));
    assert.match(names(balancer, 8), /^[abc]{2}abcabc$/);
  });
});
