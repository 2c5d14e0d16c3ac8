/** The middle of several rounds, and how far apart they were. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws RangeError when there are no values */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined)
    throw new RangeError('Cannot summarise rounds: want at least one, got none');
  const low = sorted[(sorted.length - 1) >> 1] as number;
  const high = sorted[sorted.length >> 1] as number;
  return { median: (low + high) / 2, min, max };
}

/** The value that `percent` of the (ascending) values do not exceed: nearest rank. @throws RangeError when there are none */
export function percentileOf(ascending: readonly number[], percent: number): number {
  const value = ascending[Math.max(0, Math.ceil((percent / 100) * ascending.length) - 1)];
  if (value === undefined) throw new RangeError('Cannot find a percentile: want at least one value, got none');
  return value;
}
