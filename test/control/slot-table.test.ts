import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { SlotTable } from '../../src/control/slot-table.ts';
import { SharedCount } from '../../src/memory/shared-memory.ts';

function backendsOf(...addresses: readonly string[]) {
  const document = {
    server: { http_addr: ':8080' },
    load_balancing: { backends: { web: { upstreams: addresses.map((address) => ({ address })) } } },
    routes: [{ path: '/**' }],
  };
  return parseConfig(JSON.stringify(document), { file: 'a.json', format: 'json', env: {} }).config.backends;
}

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
