/** More than anybody counts to; keeps sums of counts exact. */
export const MAX_COUNT = 1_000_000_000;

/** Ten years. */
export const MAX_TTL_MS = 3_650 * 86_400_000;
