import { narrowGroup, type TestGroup, type TestWays } from './test-groups.ts';

/** One way is enough to see most faults. */
export const QUICK_WAYS: TestWays = { transports: ['onread'], overTls: [false] };

/** What runs from each group: the beginnings of the paths of its files. */
export const CHOSEN: Readonly<Record<string, readonly string[]>> = {
  unit: ['test/'],
  property: ['test/'],
  processes: ['test/control/custom-reload.test.ts'],
  wire: [
    'test/net/',
    'test/wire/h1/',
    'test/wire/drain.test.ts',
    'test/wire/limits.test.ts',
    'test/wire/request-bodies.test.ts',
    'test/wire/retries.test.ts',
    'test/wire/surplus-bytes.test.ts',
  ],
};

/** Files that take more than about five seconds of processor time. */
export const SLOW: readonly string[] = [
  'test/config/formats.property.test.ts',
  'test/config/mutations.test.ts',
  'test/config/one-or-several.test.ts',
  'test/config/regex-safety.test.ts',
  'test/fuzz/',
  'test/memory/token-buckets.test.ts',
  'test/simulation/',
];

/** What `npm test -- quick` runs. */
export function quickGroups(groups: readonly TestGroup[]): readonly TestGroup[] {
  const startsWith = (file: string) => (path: string) => file.startsWith(path);
  return groups
    .map((group) =>
      narrowGroup(group, (file) => CHOSEN[group.name]?.some(startsWith(file)) === true && !SLOW.some(startsWith(file))),
    )
    .filter((group) => group !== null);
}
