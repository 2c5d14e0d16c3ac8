/** Longer sequences would cost memory for a precision that nobody can see. */
const MAX_LENGTH = 4096;

/**
 * The order in which weighted upstreams take turns: each index as often as its weight says, spread as evenly as can be (nginx's
 * smooth weighted round robin). Weights 3 and 1 give `0 0 1 0`, never `0 0 0 1` twice in a row as one long run.
 *
 * `weights` are whole numbers >= 0 with a positive sum. The sequence is at most 4096 long, unless there are more weights above 0
 * than that; when the weights over their greatest common divisor add up to more, they are scaled down, and none above 0 falls
 * below 1.
 */
export function smoothSequence(weights: readonly number[]): Uint16Array {
  const turns = scaleDown(weights);
  const length = turns.reduce((sum, turn) => sum + turn, 0);
  const sequence = new Uint16Array(length);
  const credit = turns.map(() => 0);
  for (let place = 0; place < length; place++) {
    let best = -1;
    for (let index = 0; index < turns.length; index++) {
      if (turns[index] === 0) continue;
      credit[index] = (credit[index] as number) + (turns[index] as number);
      if (best === -1 || (credit[index] as number) > (credit[best] as number)) best = index;
    }
    credit[best] = (credit[best] as number) - length;
    sequence[place] = best;
  }
  return sequence;
}

function scaleDown(weights: readonly number[]): number[] {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  const turns = weights.map((weight) => weight / divisor);
  const sum = turns.reduce((total, turn) => total + turn, 0);
  if (sum <= MAX_LENGTH) return turns;
  return fitInto(turns, MAX_LENGTH);
}

/** Scales to a sum of at most `length`. Those that would fall below 1 get their 1 first, and the others share what is left. */
function fitInto(turns: readonly number[], length: number): number[] {
  let [rest, share] = [turns.reduce((total, turn) => total + turn, 0), length];
  const isSmall = new Array<boolean>(turns.length).fill(false);
  for (let found = true; found; ) {
    found = false;
    for (const [index, turn] of turns.entries()) {
      if (turn === 0 || isSmall[index] || turn * share >= rest) continue;
      isSmall[index] = true;
      found = true;
      rest -= turn;
      share -= 1;
    }
  }
  return turns.map((turn, index) =>
    turn === 0 || isSmall[index] ? Math.sign(turn) : Math.floor((turn * share) / rest),
  );
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
