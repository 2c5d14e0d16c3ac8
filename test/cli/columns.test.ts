import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignColumns } from '../../src/cli/columns.ts';

test('columns are as wide as their widest cell, and lines have no blanks at their ends', () => {
  assert.deepEqual(
    alignColumns(
      [
        ['A', 'LONG'],
        ['bbbb', 'c'],
        ['d', ''],
      ],
      null,
    ),
    ['A     LONG', 'bbbb  c', 'd'],
  );
});

test('what does not fit is cut in the widest column', () => {
  const lines = alignColumns(
    [
      ['1', 'a-very-long-name-of-a-route', 'short'],
      ['22', 'b', 'c'],
    ],
    24,
  );
  assert.deepEqual(lines, ['1   a-very-lon...  short', '22  b              c']);
});

test('columns are not cut to nothing on a terminal of no width to speak of', () => {
  const [line = ''] = alignColumns([['a'.repeat(30), 'b'.repeat(30)]], 3);
  assert.equal(line, `${'a'.repeat(5)}...  ${'b'.repeat(5)}...`);
});

test('control characters are not passed on to the terminal', () => {
  assert.deepEqual(alignColumns([['a\u001b[31mb']], null), ['a\u{fffd}[31mb']);
});
