import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUnresolvedNames } from '../../src/control/name-lookups.ts';

test('names that the system does not resolve are told, and the others are not', async () => {
  const names = new Set(['localhost', 'no-such-name.invalid', 'nor-this.invalid']);
  assert.deepEqual([...(await findUnresolvedNames(names))].sort(), ['no-such-name.invalid', 'nor-this.invalid']);
});

test('without names nothing is started', async () => {
  const nowhere = new URL('./fixtures/no-such-program.ts', import.meta.url);
  assert.deepEqual([...(await findUnresolvedNames(new Set(), nowhere))], []);
});

test('a resolver that does not answer in time is not waited for, and what it owes counts as unresolved', async () => {
  const silent = new URL('./fixtures/silent-resolver.ts', import.meta.url);
  assert.deepEqual([...(await findUnresolvedNames(new Set(['localhost']), silent, 50))], ['localhost']);
});
