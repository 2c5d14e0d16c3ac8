import { narrowGroup, type TestGroup, type TestWays } from './test-groups.ts';

/** One way is enough to see most faults. */
export const QUICK_WAYS: TestWays = { transports: ['onread'], overTls: [false] };

const GROUPS = ['unit', 'property', 'wire'];

/** What `npm test -- quick` runs. */
export function quickGroups(groups: readonly TestGroup[]): readonly TestGroup[] {
  return groups
    .filter(({ name }) => GROUPS.includes(name))
    .map((group) => narrowGroup(group, () => true))
    .filter((group) => group !== null);
}
