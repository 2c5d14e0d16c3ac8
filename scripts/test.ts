/**
 * Everything that has to hold before a change goes in, in one run:
 *
 *   npm test                  all steps, up to the first that fails
 *   npm test -- lint wire     only these
 *   npm test -- --list        their names
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { provideDebianPackages } from './debian-packages.ts';
import { findTestGroups } from './test-groups.ts';
import { runTestGroups } from './test-report.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Check {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
}

/** Checks that read the source instead of running it. */
const CHECKS: readonly Check[] = [
  { name: 'format', command: ['biome', 'format', '.'] },
  { name: 'lint', command: ['biome', 'check', '--formatter-enabled=false', '--error-on-warnings', '.'] },
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'import-rules', command: ['npm', 'run', '--silent', 'import-rules'] },
  { name: 'dead-code', command: ['npm', 'run', '--silent', 'dead-code'] },
];

function passes({ name, command: [program, ...args] }: Check): boolean {
  const startedMs = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (status === 0) {
    console.log(`=== ${name}: ${seconds} s`);
    return true;
  }
  console.log(`${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`);
  console.log(`=== ${name}: failed (${[program, ...args].join(' ')})`);
  return false;
}

function packagesAreThere(groups: readonly string[]): boolean {
  try {
    provideDebianPackages(groups);
    return true;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return false;
  }
}

async function main(wanted: readonly string[]): Promise<number> {
  const groups = findTestGroups(ROOT);
  const names = [...CHECKS, ...groups].map(({ name }) => name);
  if (wanted.includes('--list')) {
    console.log(names.join('\n'));
    return 0;
  }
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`Cannot run "${unknown.join('", "')}": want ${names.join(', ')}.`);
    return 2;
  }
  const isWanted = ({ name }: { readonly name: string }) => wanted.length === 0 || wanted.includes(name);
  const wantedGroups = groups.filter(isWanted);
  const ready = CHECKS.filter(isWanted).every(passes) && packagesAreThere(wantedGroups.map(({ name }) => name));
  if (!ready) {
    return 1;
  }
  return wantedGroups.length === 0 || (await runTestGroups(wantedGroups, ROOT)) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
