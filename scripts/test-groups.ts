import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The two ways to read from a socket; each socket test runs on both. */
export type Transport = 'onread' | 'plain';

export const TRANSPORTS: readonly Transport[] = ['onread', 'plain'];

/** Test files that run together. */
export interface TestGroup {
  readonly name: string;
  readonly files: readonly string[];
  /** True when the files open sockets: they run once per transport. */
  readonly usesSockets: boolean;
  /** Those that run again with clients that speak TLS (`PHOTON_WIRE_TLS`): what comes through it must fare no differently. */
  readonly filesOverTls: readonly string[];
}

interface GroupRule {
  readonly name: string;
  readonly usesSockets: boolean;
  readonly takes: (file: string, text: string) => boolean;
}

const within =
  (...folders: readonly string[]) =>
  (file: string): boolean =>
    folders.some((folder) => file.startsWith(`test/${folder}/`));

const isPropertyTest = (file: string, text: string): boolean =>
  within('fuzz')(file) || text.includes("from 'fast-check'");

/**
 * Which group a test file belongs to: the first row that takes it. The last row takes everything else, so that no file
 * is left out. The groups run from the last row up: what people wait for least comes first.
 */
const RULES: readonly GroupRule[] = [
  { name: 'browser', usesSockets: true, takes: within('browser') },
  { name: 'integration', usesSockets: true, takes: within('integration') },
  {
    name: 'wire',
    usesSockets: true,
    takes: within('net', 'health', 'upstream', 'pipeline', 'worker', 'wire', 'contract'),
  },
  { name: 'processes', usesSockets: false, takes: within('control', 'bench') },
  { name: 'house', usesSockets: false, takes: within('house') },
  { name: 'property', usesSockets: false, takes: isPropertyTest },
  { name: 'unit', usesSockets: false, takes: () => true },
];

/** All test files below `root`, in groups, in the order in which they run; paths are relative to `root`. */
export function findTestGroups(root: string): readonly TestGroup[] {
  const files = globSync('test/**/*.test.ts', { cwd: root }).sort();
  const filesByRule = Map.groupBy(files, (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return RULES.find((rule) => rule.takes(file, text));
  });
  return RULES.toReversed().map((rule) => ({
    name: rule.name,
    files: filesByRule.get(rule) ?? [],
    usesSockets: rule.usesSockets,
    filesOverTls: (filesByRule.get(rule) ?? []).filter((file) => /^test\/wire\/[^/]*$/.test(file)),
  }));
}
