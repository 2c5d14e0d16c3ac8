import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSharedMemory } from '../../src/memory/shared-memory.ts';
import { STATUS, UpstreamState } from '../../src/memory/upstream-state.ts';

const memoryOf = (upstreams: number) =>
  createSharedMemory({ backends: [{ upstreams: Array.from({ length: upstreams }, () => ({})) }] }, 2);

describe('the state of an upstream', () => {
  test('is well at first', () => {
    const state = new UpstreamState({ memory: memoryOf(1), number: 0 });
    assert.equal(state.status, 0);
    assert.equal(state.healthy, true);
  });

  test('is seen by everyone who looks at the same slot, and by nobody else', () => {
    const memory = memoryOf(3);
    const [before, mine, after] = [0, 1, 2].map((number) => new UpstreamState({ memory, number }));
    mine?.setHealthy(false, 10);
    assert.equal(new UpstreamState({ memory, number: 1 }).healthy, false);
    assert.deepEqual([before?.status, after?.status], [0, 0]);
  });

  test('goes up again from the moment that it is said to be well, and grows from there', () => {
    const state = new UpstreamState({ memory: memoryOf(1), number: 0 });
    state.setHealthy(false, 10);
    assert.equal(state.status, STATUS.UNHEALTHY);
    state.setHealthy(true, 20);
    assert.equal(state.status, STATUS.RAMPING);
  });

  test('does not begin to grow anew when what is well is said to be well', () => {
    const state = new UpstreamState({ memory: memoryOf(1), number: 0 });
    state.setHealthy(true, 20);
    assert.equal(state.status, 0);
  });
});
