import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ModuleLoader } from '../../src/middleware/custom/module-loader.ts';
import { liveMemory } from '../support/garbage.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-module-memory-'));
after(() => rmSync(directory, { recursive: true }));

const EDITS = 100;
const MODULE_BYTES = 50 * 1024;
const MAX_GROWTH_BYTES = 25e6;

/** A module of about that many bytes, most of them functions as a program has them. */
function moduleText(edit: number): string {
  let text = `import { defineMiddleware } from 'photon-gateway';\nconst edit: number = ${edit};\n`;
  for (let number = 0; text.length < MODULE_BYTES - 200; number++) {
    text += `export function rule${number}(path: string): boolean {\n  // Whether rule ${number} lets it pass.\n  return path.startsWith('/area-${number}/') || path.length === edit + ${number};\n}\n`;
  }
  return `${text}export default defineMiddleware({ name: 'x', create: () => ({ onRequest: () => ({ body: String(edit) }) }) });\n`;
}

test('a hundred edits of a module of 50 KB keep less than 25 MB in memory, and every byte of them is counted', async () => {
  const loader = new ModuleLoader();
  const file = join(directory, 'module.ts');
  let writtenBytes = 0;
  const load = async (edit: number) => {
    const text = moduleText(edit);
    writtenBytes += text.length;
    writeFileSync(file, text);
    await loader.load(file);
    // What has not changed costs nothing.
    await loader.load(file);
  };
  await load(0);
  const before = liveMemory();
  for (let edit = 1; edit <= EDITS; edit++) await load(edit);
  const { heapBytes, externalBytes } = liveMemory();
  const growthBytes = heapBytes - before.heapBytes + externalBytes - before.externalBytes;
  assert.equal(loader.loadedBytes, writtenBytes);
  assert.ok(writtenBytes > 0.95 * (EDITS + 1) * MODULE_BYTES);
  assert.ok(growthBytes < MAX_GROWTH_BYTES, `${growthBytes} bytes more`);
  console.log(`${(growthBytes / 1e6).toFixed(1)} MB for ${EDITS} edits`);
});
