/** A monotonic clock. Tests put a hand-driven one in its place. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never goes back. */
  nowMs(): number;
}

/**
 * When this thread began, by the system's monotonic clock: `performance.now()` counts from there, faster than `hrtime` can be read,
 * but each thread from another moment.
 */
const threadBeganMs = Math.max(...Array.from({ length: 16 }, differenceNow));

/** Too small when the thread loses the processor between the two readings: the largest of several is right. */
function differenceNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();
}

/** The same in all threads of the process, to a few microseconds. */
export const monotonicClock: Clock = { nowMs: () => threadBeganMs + performance.now() };
