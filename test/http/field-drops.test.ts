import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldDrops } from '../../src/http/field-drops.ts';
import { requestHead } from '../wire/h1/heads.ts';

/** In one slot with `x-user-id`, and, the second, with `x-long`. */
const ALIKE = `u${'x'.repeat(15)}`;
const LONGER = `x-long${'y'.repeat(256)}`;

const NAMES = [ALIKE, 'x-user-id', 'user-agent', 'a', 'x_key', '_odd', LONGER];

for (const { name, dropped, why } of [
  { name: 'X-User-ID', dropped: true, why: 'one of the names' },
  { name: 'x-user-id', dropped: true, why: 'names have no case' },
  { name: 'X_User_ID', dropped: true, why: 'CGI takes it for that name' },
  { name: 'X-User_ID', dropped: true, why: 'and any mixture' },
  { name: 'X_Key', dropped: true, why: 'a name that is written with _ itself' },
  { name: 'X-Key', dropped: true, why: 'and what is alike' },
  { name: 'X-User-IDs', dropped: false, why: 'a longer name' },
  { name: 'X-User-IE', dropped: false, why: 'another name of that length' },
  { name: 'User-Agent', dropped: true, why: 'a name that has a number' },
  { name: 'Accept', dropped: false, why: 'another name that has a number' },
  { name: 'A', dropped: true, why: 'the shortest name' },
  { name: '_Odd', dropped: true, why: 'a name that begins with _' },
  { name: '-odd', dropped: true, why: 'and what is alike' },
  { name: ALIKE.toUpperCase(), dropped: true, why: 'one of two names that share a slot' },
  { name: `R${'x'.repeat(22)}`, dropped: false, why: 'another name in that slot' },
  { name: 'X-Long', dropped: false, why: 'the beginning of a name' },
]) {
  test(`${name} ${dropped ? 'does not pass' : 'passes'}: ${why}`, () => {
    const head = requestHead(`GET / HTTP/1.1\r\nHost: a\r\n${name}: 1\r\n\r\n`);
    assert.equal(new FieldDrops(NAMES).has(head, 1), dropped);
  });
}
