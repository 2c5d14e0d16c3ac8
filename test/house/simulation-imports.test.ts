import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What stands for the gateway, and what only it may know. */
const OF_THE_GATEWAY = /^test\/simulation\/(gateway\/|net\/fake-|simulation\.ts$|runner)/;
const FILES = 'test/simulation/{run,records}.ts';

test('the peers and the oracle of the simulator know nothing of the code that they judge', () => {
  const files = globSync([FILES, 'test/simulation/{hosts,oracle,net,scenario}/**/*.ts'], { cwd: ROOT });
  assert.ok(files.length > 20);
  for (const file of files.filter((each) => !OF_THE_GATEWAY.test(each))) {
    for (const [, name = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(
      /^(?:import|export) [^;]*?'([^']+)';$/gm,
    )) {
      if (!name.startsWith('.')) continue;
      const imported = relative(ROOT, join(ROOT, dirname(file), name));
      assert.ok(!imported.startsWith('src/') && !OF_THE_GATEWAY.test(imported), `${file} imports ${imported}`);
    }
  }
});
