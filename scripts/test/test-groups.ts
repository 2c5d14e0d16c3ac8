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
  /** True when one file keeps all processors busy, with a load generator or a browser: the files run one after the other. */
  readonly fillsMachine: boolean;
  /** The files that run again with clients that speak TLS (`PHOTON_WIRE_TLS`): requests fare the same over TLS. */
  readonly filesOverTls: readonly string[];
}

interface GroupRule {
  readonly name: string;
  readonly usesSockets: boolean;
  readonly fillsMachine: boolean;
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
  { name: 'browser', usesSockets: true, fillsMachine: true, takes: within('browser') },
  { name: 'integration', usesSockets: true, fillsMachine: true, takes: within('integration') },
  {
    name: 'wire',
    usesSockets: true,
    fillsMachine: false,
    takes: within('net', 'health', 'upstream', 'pipeline', 'worker', 'wire', 'contract'),
  },
  { name: 'processes', usesSockets: false, fillsMachine: false, takes: within('control', 'bench') },
  { name: 'house', usesSockets: false, fillsMachine: false, takes: within('house') },
  { name: 'property', usesSockets: false, fillsMachine: false, takes: isPropertyTest },
  { name: 'unit', usesSockets: false, fillsMachine: false, takes: () => true },
];

/** True for a file that runs again with clients that speak TLS. */
export function runsOverTls(file: string): boolean {
  return /^test\/wire\/[^/]*$/.test(file);
}

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
    fillsMachine: rule.fillsMachine,
    filesOverTls: (filesByRule.get(rule) ?? []).filter(runsOverTls),
  }));
}

/** The group with only the files that `isWanted` takes; null when there is none. */
export function narrowGroup(group: TestGroup, isWanted: (file: string) => boolean): TestGroup | null {
  const files = group.files.filter(isWanted);
  return files.length === 0 ? null : { ...group, files, filesOverTls: group.filesOverTls.filter(isWanted) };
}

/** In which ways a run goes through the files that open sockets. */
export interface TestWays {
  readonly transports: readonly Transport[];
  /** Whether clients speak TLS: `[false, true]` runs the files that are due over TLS twice. */
  readonly overTls: readonly boolean[];
}

export const ALL_WAYS: TestWays = { transports: TRANSPORTS, overTls: [false, true] };

/** Files of one group that run in one way. */
export interface TestPass {
  readonly group: string;
  readonly files: readonly string[];
  /** Null for files that open no socket. */
  readonly transport: Transport | null;
  readonly overTls: boolean;
  /** Whether its files run one after the other. */
  readonly fillsMachine: boolean;
}

/** The passes over a group, in their order: each transport, then each transport over TLS. */
export function passesOf(group: TestGroup, { transports, overTls }: TestWays): readonly TestPass[] {
  const { name, files, usesSockets, fillsMachine, filesOverTls } = group;
  if (!usesSockets) {
    return [{ group: name, files, transport: null, overTls: false, fillsMachine }];
  }
  return overTls
    .flatMap((tls) =>
      transports.map((transport) => ({
        group: name,
        files: tls ? filesOverTls : files,
        transport,
        overTls: tls,
        fillsMachine,
      })),
    )
    .filter((pass) => pass.files.length > 0);
}
