/**
 * Real time that one wait of a test may take before the test fails, in milliseconds. A machine that does ten other
 * things makes a test ten times slower; the guard is for what never comes.
 */
export const GUARD_MS = Number(process.env['PHOTON_TEST_GUARD_MS'] ?? 90_000);

/**
 * Waits for `wait`, but no longer than the guard. The failure says what was waited for and, through `seen`, what had
 * come until then.
 */
export async function guarded<T>(what: string, wait: Promise<T>, seen: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${GUARD_MS} ms for ${what}; ${seen()}`)), GUARD_MS);
  });
  try {
    return await Promise.race([wait, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Lets everything that is already under way on loopback arrive. Both ends and the gateway share this event loop, so
 * turns of the loop do it and no time has to pass.
 */
export async function settle(turns = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Turns the loop until `holds()` is true; fails after the guard with `seen()`. */
export async function eventually(what: string, holds: () => boolean, seen: () => string): Promise<void> {
  const startMs = performance.now();
  while (!holds()) {
    if (performance.now() - startMs > GUARD_MS) throw new Error(`Waited ${GUARD_MS} ms for ${what}; ${seen()}`);
    await settle(1);
  }
}
