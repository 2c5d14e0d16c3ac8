import { globSync } from 'node:fs';

/** The two ways to read from a socket; each socket test runs on both. */
export type Transport = 'onread' | 'plain';

export const TRANSPORTS: readonly Transport[] = ['onread', 'plain'];

/** Test files that run together, in the order of the table below. */
export interface TestGroup {
  readonly name: string;
  readonly files: readonly string[];
  /** True when the files open sockets: they run once per transport. */
  readonly usesSockets: boolean;
}

/**
 * Which group a test file belongs to: the first row that matches. The last row takes everything else, so that no file
 * is left out.
 */
const GROUPS = [
  { name: 'property', pattern: /\.property\.test\.ts$|^test\/fuzz\//, usesSockets: false },
  { name: 'wire', pattern: /^test\/(net|upstream|pipeline|worker|wire)\//, usesSockets: true },
  { name: 'processes', pattern: /^test\/control\//, usesSockets: false },
  { name: 'integration', pattern: /^test\/integration\//, usesSockets: true },
  { name: 'house', pattern: /^test\/house\//, usesSockets: false },
  { name: 'browser', pattern: /^test\/browser\//, usesSockets: true },
  { name: 'unit', pattern: /./, usesSockets: false },
] as const;

/** What people wait for least comes first. */
const ORDER = ['unit', 'property', 'house', 'processes', 'wire', 'integration', 'browser'];

/** All test files below `root`, in groups; paths are relative to it. */
export function findTestGroups(root: string): readonly TestGroup[] {
  const files = globSync('test/**/*.test.ts', { cwd: root }).sort();
  const groupOf = (file: string) => GROUPS.find(({ pattern }) => pattern.test(file));
  return ORDER.map((name) => ({
    name,
    files: files.filter((file) => groupOf(file)?.name === name),
    usesSockets: GROUPS.some((group) => group.name === name && group.usesSockets),
  }));
}
