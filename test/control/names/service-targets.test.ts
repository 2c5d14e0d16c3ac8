import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toServiceTargets } from '../../../src/control/names/service-targets.ts';

const record = (name: string, weight: number, priority = 1, port = 80) => ({ name, port, priority, weight });
const target = (host: string, weight: number, priority = 1, port = 80) => ({ host, port, priority, weight });

const CASES = [
  {
    why: 'weights are over their greatest common divisor',
    records: [record('a.test', 100), record('b.test', 300)],
    targets: [target('a.test.', 1), target('b.test.', 3)],
  },
  {
    why: 'the weights of another priority have nothing to do with it',
    records: [record('a.test', 100), record('b.test', 7, 2)],
    targets: [target('a.test.', 1), target('b.test.', 1, 2)],
  },
  {
    why: 'weight 0 is little, and not nothing',
    records: [record('a.test', 0), record('b.test', 10)],
    targets: [target('a.test.', 1), target('b.test.', 10)],
  },
  {
    why: 'weights of 0 only are the same for all',
    records: [record('a.test', 0), record('b.test', 0)],
    targets: [target('a.test.', 1), target('b.test.', 1)],
  },
  {
    why: 'the order is ours: priority, name, port',
    records: [record('b.test', 1), record('a.test', 1, 2), record('a.test', 1, 1, 81), record('A.test', 1, 1, 80)],
    targets: [target('a.test.', 1), target('a.test.', 1, 1, 81), target('b.test.', 1), target('a.test.', 1, 2)],
  },
  { why: 'an address is no name', records: [record('10.0.0.7', 1)], targets: [target('10.0.0.7', 1)] },
  { why: 'the root says that there is none', records: [record('', 1), record('.', 1)], targets: [] },
];

for (const { why, records, targets } of CASES) {
  test(`the records of a service become targets: ${why}`, () => assert.deepEqual(toServiceTargets(records), targets));
}

test('no more than 256 targets are taken from an answer', () => {
  const records = Array.from({ length: 1000 }, (_, index) => record(`a${index}.test`, 1));
  assert.equal(toServiceTargets(records).length, 256);
});
