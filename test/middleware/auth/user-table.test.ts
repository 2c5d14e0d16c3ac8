import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf } from '../../../src/base/password-hash.ts';
import { UserTable } from '../../../src/middleware/auth/basic/user-table.ts';

const SALT_AND_DIGEST = 'saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5';
const QUICK = `$5$rounds=1000$${SALT_AND_DIGEST}`;
const DEAR = `$5$rounds=90000$${SALT_AND_DIGEST}`;
const USERS = [
  ['alice', QUICK],
  ['bob', DEAR],
] as const;
const NAMES = Array.from({ length: 400 }, (_none, number) => `nobody-${number}`);

const decoyFor = (table: UserTable, name: string): string => table.decoyFor(name) ?? assert.fail('no decoy');

test('of those who are not known as many cost what each user costs', () => {
  const table = new UserTable(USERS);
  const costs = NAMES.map((name) => costOf(decoyFor(table, name)));
  assert.deepEqual(new Set(costs), new Set([costOf(QUICK), costOf(DEAR)]));
  const dear = costs.filter((cost) => cost === costOf(DEAR)).length;
  assert.ok(dear > 140 && dear < 260, `${dear} of 400`);
});

test('one who is not known costs the same each time, in every thread', () => {
  const [one, other] = [new UserTable(USERS), new UserTable(USERS)];
  for (const name of NAMES) assert.equal(costOf(decoyFor(one, name)), costOf(decoyFor(other, name)));
});

test('a decoy is the hash of nobody', () => {
  const table = new UserTable(USERS);
  for (const name of NAMES) assert.ok(![QUICK, DEAR].includes(decoyFor(table, name)));
});

test('where there are no users there is no decoy', () => {
  assert.equal(new UserTable([]).decoyFor('nobody'), null);
});
