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
