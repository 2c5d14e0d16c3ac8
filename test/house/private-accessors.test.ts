import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** V8 looks a private accessor up with a call into its runtime at every use, also in optimised code: a private method costs nothing. */
const PRIVATE_ACCESSOR = /^\s+(?:static )?(?:get|set) #\w+\(/m;

test('no private accessors, which V8 does not optimise: private methods stand in their place', () => {
  const files = globSync('src/**/*.ts', { cwd: ROOT });
  assert.ok(files.length > 400);
  assert.deepEqual(
    files.filter((file) => PRIVATE_ACCESSOR.test(readFileSync(join(ROOT, file), 'utf8'))),
    [],
  );
  assert.match('  get #limit(): number {', PRIVATE_ACCESSOR);
});
