import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Code that spells the end of a line of HTTP/1, in whatever it says, but for comments. */
function linesWithLineEnds(text: string): string[] {
  const code = text.replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, '');
  return code.split('\n').filter((line) => /\\r\\n|\\x0d\\x0a/i.test(line));
}

test('only src/wire makes and reads the text of heads: no other code knows how a line ends', () => {
  const files = globSync('src/**/*.ts', { cwd: ROOT });
  assert.ok(files.length > 400);
  const found = files.filter((file) => linesWithLineEnds(readFileSync(join(ROOT, file), 'utf8')).length > 0);
  assert.ok(found.length > 2, 'the encoders are found');
  assert.deepEqual(
    found.filter((file) => !file.startsWith('src/wire/')),
    [],
  );
});
