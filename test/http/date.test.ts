import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpDate } from '../../src/http/date.ts';

test('the date is that of this second, as IMF-fixdate', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: Date.UTC(1994, 10, 6, 8, 49, 36, 999) });
  const date = new HttpDate();
  assert.equal(date.text, 'Sun, 06 Nov 1994 08:49:36 GMT');
  context.mock.timers.tick(1);
  assert.equal(date.text, 'Sun, 06 Nov 1994 08:49:37 GMT');
  context.mock.timers.tick(998);
  assert.equal(date.text, 'Sun, 06 Nov 1994 08:49:37 GMT');
});

test('the date follows a clock that is set back', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 1) });
  const date = new HttpDate();
  assert.equal(date.text, 'Thu, 01 Jan 2026 00:00:00 GMT');
  context.mock.timers.setTime(Date.UTC(2025, 11, 31, 23, 0, 0));
  assert.equal(date.text, 'Wed, 31 Dec 2025 23:00:00 GMT');
});
