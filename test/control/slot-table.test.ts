import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { SlotTable } from '../../src/control/slot-table.ts';
import { PHASE, phaseOf } from '../../src/memory/breaker-word.ts';
import type { Slot } from '../../src/memory/shared-memory.ts';
import { STATUS, UpstreamState } from '../../src/memory/upstream-state.ts';
import { BreakerView } from '../upstream/breaker-scene.ts';

function backendsOf(...addresses: string[]) {
  const text = JSON.stringify({
    server: { http_addr: '127.0.0.1:1' },
    load_balancing: { backends: { web: { upstreams: addresses.map((address) => ({ address })) } } },
    routes: [{ path: '/**', backend: 'web' }],
  });
  return parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {} }).config.backends;
}

const isRamping = (slot: Slot): boolean => (new UpstreamState(slot).status & STATUS.RAMPING) !== 0;

test('what a reload adds comes up by and by, unlike what the gateway began with and what stays', () => {
  const first = backendsOf('a:80', 'b:80');
  const table = new SlotTable(first, 1);
  const slots = table.slotsFor(first);
  table.use(first, slots);
  assert.deepEqual(slots.upstreams.map(isRamping), [false, false]);
  assert.deepEqual(table.slotsFor(backendsOf('b:80', 'c:80')).upstreams.map(isRamping), [false, true]);
});

test('a worker that dies gives its probes back, those of upstreams that a reload added too', () => {
  const first = backendsOf('a:80');
  const table = new SlotTable(first, 2);
  table.use(first, table.slotsFor(first));
  const next = backendsOf('c:80', 'a:80');
  const slots = table.slotsFor(next);
  table.use(next, slots);
  const views = slots.upstreams.map(({ memory, number }) => {
    assert.equal(number, 0);
    return new BreakerView(memory, 1, { openTimeoutMs: 0 });
  });
  for (const view of views) {
    view.fail(5);
    assert.ok(view.claim() > 0);
  }
  table.clearRow(0);
  assert.deepEqual(
    views.map(({ breaker }) => phaseOf(breaker.word)),
    [PHASE.PROBING, PHASE.PROBING],
  );
  table.clearRow(1);
  assert.deepEqual(
    views.map(({ breaker }) => phaseOf(breaker.word)),
    [PHASE.HALF_OPEN, PHASE.HALF_OPEN],
  );
});
