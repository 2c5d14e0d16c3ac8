/**
 * Everything that has to hold before a change goes in, in one run. `npm test -- --help` says how to run less; see
 * docs/testing.md.
 */
import { chmodSync, mkdtempSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKS, runCheck } from './test/checks.ts';
import { provideDebianPackages } from './test/debian-packages.ts';
import { Failures, formatFailures } from './test/failures.ts';
import { removeAll } from './test/leftovers.ts';
import { type Selection, select, USAGE } from './test/selection.ts';
import { findTestGroups } from './test/test-groups.ts';
import { runTestGroups } from './test/test-report.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const groups = findTestGroups(ROOT);
  const selection = selectOrPrint(() => select({ args, env: process.env, root: ROOT, groups }));
  if (selection === null) {
    return EXIT_USAGE;
  }
  if (selection.list) {
    console.log([...CHECKS, ...groups].map(({ name }) => name).join('\n'));
    return 0;
  }
  const areThere = selectOrPrint(() => {
    provideDebianPackages(selection.groups.map(({ name }) => name));
    return true;
  });
  return areThere === null ? EXIT_FAILED : runUntilSignal(selection);
}

/** Null where there is an error, which is printed. */
function selectOrPrint<Result>(attempt: () => Result): Result | null {
  try {
    return attempt();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return null;
  }
}

/** Runs everything, up to the first signal. Either way nothing is left in the temporary directory, and no process. */
async function runUntilSignal(selection: Selection): Promise<number> {
  const interruption = new AbortController();
  let exitCode: number | null = null;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      exitCode ??= 128 + constants.signals[signal];
      interruption.abort();
    });
  }
  const seed = Number(process.env['PHOTON_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  const failures = new Failures(ROOT, seed);
  const directory = mkdtempSync(join(tmpdir(), 'photon-'));
  // Some tests run a gateway as another user, who has to find its temporary directory.
  chmodSync(directory, 0o755);
  const place = { root: ROOT, directory, seed, name: selection.name, interrupted: interruption.signal };
  try {
    for (const check of selection.checks) {
      const failure = interruption.signal.aborted ? null : await runCheck(check, place);
      if (failure !== null) {
        failures.add(failure);
      }
    }
    const { groups, ways, isWhole } = selection;
    const passed = groups.length === 0 || (await runTestGroups({ ...place, groups, ways, isWhole, failures }));
    exitCode ??= passed && failures.found.length === 0 ? 0 : EXIT_FAILED;
  } finally {
    await removeAll(directory);
  }
  process.stdout.write(formatFailures(failures.found));
  return exitCode;
}

process.exitCode = await main(process.argv.slice(2));
