import { narrowGroup, type TestGroup, type TestWays } from './test-groups.ts';

/** One way is enough to see most faults. */
export const QUICK_WAYS: TestWays = { transports: ['onread'], overTls: [false] };

/** What runs from each group: the beginnings of the paths of its files. */
const CHOSEN: Readonly<Record<string, readonly string[]>> = {
  unit: ['test/'],
  property: ['test/'],
  processes: ['test/control/lifecycle.test.ts'],
  wire: ['test/'],
};

/** Files that take more than five seconds of processor time, or wait long. */
export const SLOW: readonly string[] = [
  'test/config/formats.property.test.ts',
  'test/config/mutations.test.ts',
  'test/contract/transport.test.ts',
  'test/fuzz/',
  'test/health/checks.test.ts',
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
