import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sameSecret, sameSecretText } from '../../src/base/constant-time.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

for (const { one, other, same, why } of [
  { one: 'secret', other: 'secret', same: true, why: 'the same bytes' },
  { one: '', other: '', same: true, why: 'nothing is the same as nothing' },
  { one: 'secret', other: 'Secret', same: false, why: 'the first byte' },
  { one: 'secret', other: 'secreu', same: false, why: 'the last byte' },
  { one: 'secret', other: 'secrets', same: false, why: 'a longer one, which is no error' },
  { one: 'secret', other: '', same: false, why: 'nothing' },
  { one: 'A', other: '\u0141', same: false, why: 'a character of which the low byte is the other one' },
]) {
  test(`"${one}" and "${other}" are ${same ? 'one secret' : 'two secrets'}: ${why}`, () => {
    assert.equal(sameSecret(bytes(one), bytes(other)), same);
    assert.equal(sameSecretText(one, other), same);
  });
}

test('secrets are compared in one place alone', () => {
  const root = join(import.meta.dirname, '../../src');
  const users = globSync('**/*.ts', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes('timingSafeEqual'),
  );
  assert.deepEqual(users, [join('base', 'constant-time.ts')]);
});
