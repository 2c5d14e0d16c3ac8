import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { SlotTable } from '../../src/control/slot-table.ts';
import { PHASE, phaseOf } from '../../src/memory/breaker-word.ts';
import { SharedCount, type Slot } from '../../src/memory/shared-memory.ts';
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
  const table = new SlotTable(1);
  const slots = table.slotsFor(first);
  table.use(first, slots);
  assert.deepEqual(slots.upstreams.map(isRamping), [false, false]);
  assert.deepEqual(table.slotsFor(backendsOf('b:80', 'c:80')).upstreams.map(isRamping), [false, true]);
});

test('a worker that dies gives its probes back, those of upstreams that a reload added too', () => {
  const first = backendsOf('a:80');
  const table = new SlotTable(2);
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

test('what stays is counted where it was, whatever comes and goes beside it', () => {
  const table = new SlotTable(1);
  const first = table.slotsFor(backendsOf('10.0.0.1:80', '10.0.0.2:80'));
  table.use(backendsOf('10.0.0.1:80', '10.0.0.2:80'), first);
  const second = table.slotsFor(backendsOf('10.0.0.3:80', '10.0.0.2:80'));
  assert.equal(second.upstreams[1], first.upstreams[1]);
  assert.equal(second.backends[0], first.backends[0]);
  assert.ok(!first.upstreams.includes(second.upstreams[0] as (typeof first.upstreams)[0]));
});

test('slots that are not used are forgotten', () => {
  const table = new SlotTable(1);
  table.use(backendsOf('10.0.0.1:80'), table.slotsFor(backendsOf('10.0.0.1:80')));
  const given = table.slotsFor(backendsOf('10.0.0.2:80'));
  assert.notEqual(table.slotsFor(backendsOf('10.0.0.2:80')).upstreams[0], given.upstreams[0]);
});

test('what a dead worker counted is forgotten in every memory that is in use', () => {
  const table = new SlotTable(2);
  const [first, second] = [backendsOf('10.0.0.1:80'), backendsOf('10.0.0.1:80', '10.0.0.2:80')];
  table.use(first, table.slotsFor(first));
  const slots = table.slotsFor(second);
  table.use(second, slots);
  for (const slot of slots.upstreams) {
    for (const row of [0, 1]) SharedCount.upstreamSockets(slot, row).add(3);
  }
  table.clearRow(1);
  const left = slots.upstreams.map((slot) => SharedCount.upstreamSockets(slot, 0).total);
  assert.deepEqual(left, [3, 3]);
});
