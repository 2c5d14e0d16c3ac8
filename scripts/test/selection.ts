import { relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKS, type Check } from './checks.ts';
import { QUICK_WAYS, quickGroups } from './quick.ts';
import { ALL_WAYS, narrowGroup, type TestGroup, type TestWays, TRANSPORTS } from './test-groups.ts';

/** What one run is asked to do. */
export interface Selection {
  readonly checks: readonly Check[];
  readonly groups: readonly TestGroup[];
  readonly ways: TestWays;
  /** Only tests with this text in their full name; null: all. */
  readonly name: string | null;
  /** True when the groups are whole. */
  readonly isWhole: boolean;
  /** Print the names of the steps instead of running them. */
  readonly list: boolean;
}

/** Where the arguments come from. */
export interface Asked {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly root: string;
  /** All groups with all their files. */
  readonly groups: readonly TestGroup[];
}

export const USAGE = `npm test                          every check and every test
npm test -- quick                 the checks and a choice of the tests, in less than two minutes
npm test -- lint wire             steps by name; --list prints the names
npm test -- test/wire/a.test.ts   files or folders, in all ways in which their group runs
npm test -- --name TEXT           with or without files: only tests with TEXT in their full name

PHOTON_TRANSPORT=onread|plain and PHOTON_WIRE_TLS=0|1 choose among the ways in which files that open sockets run.`;

/** Reads the arguments of `npm test`. Throws an Error that says what is wrong with them. */
export function select({ args, env, root, groups }: Asked): Selection {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { name: { type: 'string' }, list: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const name = values.name ?? null;
  const common = { name, list: values.list };
  if (positionals.includes('quick')) {
    if (positionals.length > 1) {
      throw new Error('Cannot run "quick" and something else: want it alone.');
    }
    const ways = { ...QUICK_WAYS, ...waysOf(env, QUICK_WAYS) };
    return { ...common, checks: CHECKS, groups: quickGroups(groups), ways, isWhole: false };
  }
  const ways = waysOf(env, ALL_WAYS);
  if (positionals.length === 0 && name === null) {
    return { ...common, checks: CHECKS, groups, ways, isWhole: true };
  }
  if (positionals.length === 0) {
    return { ...common, checks: [], groups: groups.filter(({ files }) => files.length > 0), ways, isWhole: false };
  }
  const steps = [...CHECKS, ...groups].map((step) => step.name);
  const named = positionals.filter((word) => steps.includes(word));
  const paths = positionals.filter((word) => !steps.includes(word)).map((word) => pathOf(word, env, root));
  for (const path of paths) {
    if (!groups.some(({ files }) => files.some((file) => isWithin(file, path)))) {
      throw new Error(
        `Cannot run "${path}": want a test file, a folder of tests, quick, or one of ${steps.join(', ')}.`,
      );
    }
  }
  const chosen = groups.map((group) =>
    named.includes(group.name) ? group : narrowGroup(group, (file) => paths.some((path) => isWithin(file, path))),
  );
  return {
    ...common,
    checks: CHECKS.filter((check) => named.includes(check.name)),
    groups: chosen.filter((group) => group !== null),
    ways,
    isWhole: name === null && paths.length === 0,
  };
}

const isWithin = (file: string, path: string): boolean =>
  path === '' || file === path || file.startsWith(`${path}${sep}`);

/** A path relative to the root. npm runs scripts at the root, and says in INIT_CWD where it was called. */
function pathOf(word: string, env: NodeJS.ProcessEnv, root: string): string {
  return relative(root, resolve(env['INIT_CWD'] ?? root, word));
}

/** The ways that the environment leaves of those that are due. */
function waysOf(env: NodeJS.ProcessEnv, due: TestWays): TestWays {
  const { PHOTON_TRANSPORT: transport = '', PHOTON_WIRE_TLS: tls = '' } = env;
  const transports = transport === '' ? due.transports : TRANSPORTS.filter((each) => each === transport);
  if (transports.length === 0) {
    throw new Error(`Cannot use PHOTON_TRANSPORT: want ${TRANSPORTS.join(' or ')}, got "${transport}".`);
  }
  if (!['', '0', '1'].includes(tls)) {
    throw new Error(`Cannot use PHOTON_WIRE_TLS: want 0 or 1, got "${tls}".`);
  }
  return { transports, overTls: tls === '' ? due.overTls : [tls === '1'] };
}
