/**
 * Finds cycles among the imports of a directory (src/ by default) as they are at run time. `import type` is gone by
 * then, and may point back: a step of the pipeline may name the type of the exchange that calls it.
 *
 * dependency-cruiser's parser for TypeScript does not tell the two kinds apart. So the types are stripped from a copy
 * first, by the same code that strips them when Node runs the source.
 */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';

const CYCLES: IForbiddenRuleType = { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } };

function copyWithoutTypes(directory: string, copy: string): void {
  for (const file of globSync('**/*.ts', { cwd: directory })) {
    const target = join(copy, file);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, stripTypeScriptTypes(readFileSync(join(directory, file), 'utf8')));
  }
}

async function findCycles(directory: string): Promise<readonly string[]> {
  const copy = mkdtempSync(join(tmpdir(), 'photon-imports-'));
  try {
    copyWithoutTypes(directory, copy);
    const { output } = await cruise(['.'], {
      baseDir: copy,
      parser: 'swc',
      doNotFollow: { path: 'node_modules' },
      validate: true,
      ruleSet: { forbidden: [CYCLES] },
    });
    // Sound: without an output type the result is an object, not a text.
    const { summary } = output as ICruiseResult;
    return summary.violations.map(({ from, cycle = [] }) => [from, ...cycle.map(({ name }) => name)].join(' -> '));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

const cycles = await findCycles(resolve(process.argv[2] ?? 'src'));
for (const cycle of cycles) {
  console.error(`import cycle: ${cycle}`);
}
process.exitCode = cycles.length === 0 ? 0 : 1;
