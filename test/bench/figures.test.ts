import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLatencies } from '../../bench/h2load.ts';
import { parseOptions } from '../../bench/options.ts';
import { parseCoreList, parseCpuTicks } from '../../bench/proc.ts';
import { type CpuProfile, topSelfTimes } from '../../bench/profile.ts';
import { percentileOf, spreadOf } from '../../bench/statistics.ts';
import { parseStraceTable } from '../../bench/syscalls.ts';

test('the spread of rounds is their median, lowest and highest', () => {
  for (const { values, want, why } of [
    { values: [3, 1, 2], want: { median: 2, min: 1, max: 3 }, why: 'rounds come in any order' },
    { values: [4, 1, 2, 3], want: { median: 2.5, min: 1, max: 4 }, why: 'an even number has two in the middle' },
    { values: [10, 9, 100], want: { median: 10, min: 9, max: 100 }, why: 'numbers are not sorted as text' },
    { values: [7], want: { median: 7, min: 7, max: 7 }, why: 'one round is its own spread' },
  ]) {
    assert.deepEqual(spreadOf(values), want, why);
  }
  assert.throws(() => spreadOf([]), RangeError);
});

test('a percentile is the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.equal(percentileOf(hundred, 99), 99);
  assert.equal(percentileOf(hundred, 50), 50);
  assert.equal(percentileOf([5], 99), 5);
});

test('CPU ticks are read behind a command name with spaces and parentheses', () => {
  const stat = '42 (a) b (c)) S 1 42 42 0 -1 4194304 100 0 0 0 123 456 7 8 20 0 1 0 999';
  assert.deepEqual(parseCpuTicks(stat), { user: 123, system: 456 });
});

test('a list of cores may have ranges', () => {
  assert.deepEqual(parseCoreList('0-2,5'), [0, 1, 2, 5]);
  assert.deepEqual(parseCoreList('3'), [3]);
});

test('the table of strace is read with and without errors, and without its total', () => {
  const table = `strace: Process 7 attached
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 51.02    0.012345           1      2000        12 read
 48.98    0.011852           1      1998           write
------ ----------- ----------- --------- --------- ----------------
100.00    0.024197           1      3998        12 total
`;
  assert.deepEqual([...parseStraceTable(table)], [['read', 2000], ['write', 1998]]); // biome-ignore format: a table
});

test('a log of h2load with any other status than 200 is an error', () => {
  assert.deepEqual(readLatencies('1700000000000000\t200\t840\n1700000000000001\t200\t1200\n'), [840, 1200]);
  assert.throws(() => readLatencies('1700000000000000\t200\t840\n1700000000000001\t-1\t9\n'), /got -1/);
});

test('self times are those inside the windows, without the idle time', () => {
  const frame = (functionName: string) => ({ functionName, url: '', lineNumber: 0 });
  const profile: CpuProfile = {
    nodes: [
      { id: 1, callFrame: frame('(idle)') },
      { id: 2, callFrame: frame('start') },
      { id: 3, callFrame: frame('forward') },
      { id: 4, callFrame: frame('route') },
    ],
    startTime: 1000,
    //      at 1000 1100 1200 1300 1400
    samples: [2, 3, 4, 1, 1],
    timeDeltas: [0, 100, 100, 100, 100],
  };
  assert.deepEqual(topSelfTimes([profile], [[1050, 1350]]), [
    { where: 'forward', percent: 50 },
    { where: 'route', percent: 50 },
  ]);
});

test('a wrong option is refused', () => {
  for (const { args, why } of [
    { args: ['--rounds', '0'], why: 'no rounds give no figure' },
    { args: ['--seconds', '1.5'], why: 'wrk takes whole seconds' },
    { args: ['--round', '3'], why: 'an unknown option is a typing error' },
    { args: ['--syscalls', '--profile'], why: 'the profiler makes system calls itself' },
  ]) {
    assert.throws(() => parseOptions(['proxy-small', ...args]), why);
  }
  assert.deepEqual(parseOptions(['proxy-small', '--peers', 'none']).peers, []);
  assert.deepEqual(parseOptions(['proxy-small', '--peers', 'nginx,haproxy']).peers, ['nginx', 'haproxy']);
});
