/**
 * The circuit breaker of one upstream: pure transitions of a word that all workers see and that changes as a whole.
 *
 *              failures             open_timeout over: a claim              head below 500
 *   CLOSED ----------------> OPEN ------------------------------> PROBING -----------------> ANSWERED
 *     ^                       ^                                    |  |  ^                     |  |
 *     |                       +------------- failure --------------+  |  |                     |  |
 *     |                       +------------- failure -----------------|--|---------------------+  |
 *     |                       |                              released |  | a claim                |
 *     |                       |                                       v  |      released, or      |
 *     |                       +---- failure of a late probe ------ HALF_OPEN <--- a success ------+
 *     |                                                                                           |
 *     +-------------------------- success_threshold successes ------------------------------------+
 *
 * Invariant: the claim belongs to the worker that made the last step to PROBING, so that one probe at a time has it. A claim that was
 * kept for another open_timeout can be taken over (PROBING to PROBING): neither a client that sends its request for ever nor a
 * reply without end keeps the breaker from closing. The probe that was overtaken still counts, but only once: when it had been
 * answered by then, the takeover was its success; otherwise its success is its answer, and a failure opens in any case.
 *
 * The word is the upstream's status. Its lowest two bits do not belong to the breaker, and stay:
 *
 *   bit 0           1         2 .. 4   5 .. 14     15 .. 24           25 .. 31
 *     | unhealthy | ramping | phase  | successes | row of the probe | serial number of the claim, never 0 |
 */
export const PHASE = { CLOSED: 0, OPEN: 1, HALF_OPEN: 2, PROBING: 3, ANSWERED: 4 } as const;
export type Phase = (typeof PHASE)[keyof typeof PHASE];

const RAMPING_BIT = 0b10;
const FLAG_BITS = 0b11;
const PHASE_SHIFT = 2;
/** Of the word: none of these bits means that the breaker is closed. */
export const PHASE_BITS = 0b111 << PHASE_SHIFT;
const SUCCESS_SHIFT = 5;
const SUCCESS_MAX = 0x3ff;
const CLAIM_SHIFT = 15;
const ROW_MAX = 0x3ff;
const SERIAL_SHIFT = 10;
const SERIAL_COUNT = 127;

export function phaseOf(word: number): Phase {
  // Sound: nothing else is ever written there.
  return ((word & PHASE_BITS) >>> PHASE_SHIFT) as Phase;
}

function successesOf(word: number): number {
  return (word >>> SUCCESS_SHIFT) & SUCCESS_MAX;
}

/** The claim that identifies a probe: the row and the serial number, never 0. */
export function claimOf(word: number): number {
  return word >>> CLAIM_SHIFT;
}

function rowOf(claim: number): number {
  return claim & ROW_MAX;
}

function wordWith(word: number, phase: Phase, successes: number, claim: number = claimOf(word)): number {
  return (word & FLAG_BITS) | (phase << PHASE_SHIFT) | (successes << SUCCESS_SHIFT) | (claim << CLAIM_SHIFT);
}

function nextClaim(word: number, row: number): number {
  const serial = ((claimOf(word) >>> SERIAL_SHIFT) % SERIAL_COUNT) + 1;
  return row | (serial << SERIAL_SHIFT);
}

/** There may be a probe under way, or one may begin at once. */
function isHalfOpen(phase: Phase): boolean {
  return phase !== PHASE.CLOSED && phase !== PHASE.OPEN;
}

/** One more success; the last one closes, and the upstream's share begins to grow. */
function withSuccess(word: number, phase: Phase, threshold: number): number {
  const successes = successesOf(word) + 1;
  if (successes >= threshold) return wordWith(word, PHASE.CLOSED, 0) | RAMPING_BIT;
  return wordWith(word, phase, successes);
}

/** Failures have reached their limit. */
export function opened(word: number): number {
  return phaseOf(word) === PHASE.CLOSED ? wordWith(word, PHASE.OPEN, 0) : word;
}

/**
 * The worker of `row` claims the probe. `due`: the time of an open breaker, or of the claim of another probe, is over. The worker has the
 * claim if the phase is PROBING afterwards and the word has changed. An overdue probe that was answered has been successful.
 */
export function claimed(word: number, row: number, due: boolean, threshold: number): number {
  const phase = phaseOf(word);
  if (phase === PHASE.CLOSED || (phase !== PHASE.HALF_OPEN && !due)) return word;
  const before = phase === PHASE.ANSWERED ? withSuccess(word, PHASE.PROBING, threshold) : word;
  if (phaseOf(before) === PHASE.CLOSED) return before;
  return wordWith(before, PHASE.PROBING, successesOf(before), nextClaim(word, row));
}

/** The head of a probe's reply has come, and is no failure. For a probe that was overtaken this is its success. */
export function answered(word: number, claim: number, threshold: number): number {
  const phase = phaseOf(word);
  if (phase === PHASE.PROBING && claimOf(word) === claim) return wordWith(word, PHASE.ANSWERED, successesOf(word));
  return isHalfOpen(phase) ? withSuccess(word, phase, threshold) : word;
}

/** The reply of a probe that was answered is complete. */
export function completed(word: number, claim: number, threshold: number): number {
  if (phaseOf(word) !== PHASE.ANSWERED || claimOf(word) !== claim) return word;
  return withSuccess(word, PHASE.HALF_OPEN, threshold);
}

/** A probe has failed, overtaken or not. */
export function probeFailed(word: number): number {
  return isHalfOpen(phaseOf(word)) ? wordWith(word, PHASE.OPEN, 0) : word;
}

/** A probe ends without an outcome: its claim is released. */
export function released(word: number, claim: number): number {
  const phase = phaseOf(word);
  if ((phase !== PHASE.PROBING && phase !== PHASE.ANSWERED) || claimOf(word) !== claim) return word;
  return wordWith(word, PHASE.HALF_OPEN, successesOf(word));
}

/** The worker of `row` is dead: its claim, if it has one, is released. */
export function releasedBy(word: number, row: number): number {
  const claim = claimOf(word);
  return rowOf(claim) === row ? released(word, claim) : word;
}
