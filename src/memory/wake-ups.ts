/** Wakes workers through words of shared memory, as a futex does. A simulation replaces it. */
export interface WakeUps {
  /** Calls `woken` once, in an event of its own, when the word is notified from now on, or after `timeoutMs`. */
  wait(words: Int32Array, index: number, timeoutMs: number, woken: () => void): void;
  /** Changes the word and wakes all threads that wait for it. */
  notify(words: Int32Array, index: number): void;
}

export const atomicWakeUps: WakeUps = {
  wait(words, index, timeoutMs, woken) {
    const outcome = Atomics.waitAsync(words, index, Atomics.load(words, index), timeoutMs);
    void Promise.resolve(outcome.value).then(woken);
  },

  notify(words, index) {
    Atomics.add(words, index, 1);
    Atomics.notify(words, index);
  },
};
