/** A wait was given up; what was waited for may still come. */
export class TooLate extends Error {}

/** Settles as `wait` does. Rejects with a TooLate of this message when that takes longer than `limitMs`. */
export async function within<T>(limitMs: number, wait: Promise<T>, message: string): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TooLate(message)), limitMs);
  try {
    return await Promise.race([wait, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with true if `wait` settles within `limitMs`, else with false. Rejects if `wait` rejects before that. */
export async function isOverWithin(limitMs: number, wait: Promise<unknown>): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), limitMs);
  try {
    return await Promise.race([wait.then(() => true), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
