import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WorkerPlan, WorkerSlot, type WorkerSlotContext } from '../../src/control/worker-slot.ts';
import { AccessBlocks, BLOCK_COUNT } from '../../src/telemetry/access-blocks.ts';

test('lines that come when nothing is logged any more give their memory back to the worker', () => {
  // Sound: a slot that has not started looks at neither.
  const slot = new WorkerSlot(0, {} as WorkerPlan, { accessLog: { current: null } } as WorkerSlotContext);
  const blocks = new AccessBlocks(AccessBlocks.allocate());
  for (let count = 0; count < 2 * BLOCK_COUNT; count++) {
    const block = blocks.take();
    assert.ok(block >= 0);
    slot.onAccessLines({ type: 'access-lines', block, bytes: 7, lines: 1 }, blocks);
  }
});
