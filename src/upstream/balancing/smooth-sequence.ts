import { fitWeights, smallestWeights, sumOf } from './weights.ts';

/** Longer sequences would cost memory for a precision without effect. */
const MAX_LENGTH = 4096;

/**
 * The order in which weighted upstreams take turns: each index as often as its weight says, spread as evenly as can be (nginx's
 * smooth weighted round robin). Weights 3 and 1 give `0 0 1 0`, never `0 0 0 1` twice in a row as one long run.
 *
 * `weights` are whole numbers >= 0; all of them 0 give an empty sequence. It is at most 4096 long, unless there are more weights
 * above 0 than that; when the weights over their greatest common divisor add up to more, they are scaled down, and none above 0
 * falls below 1.
 */
export function smoothSequence(weights: readonly number[]): Uint16Array {
  const turns = fitWeights(smallestWeights(weights), MAX_LENGTH);
  const length = sumOf(turns);
  // Equal weights, as most have: a thousand of them would take two milliseconds below.
  if (turns.every((turn) => turn <= 1)) return Uint16Array.from(positions(turns));
  const sequence = new Uint16Array(length);
  const credit = new Int32Array(turns.length);
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

/** The positions of the weights above 0. */
function positions(turns: readonly number[]): number[] {
  return [...turns.keys()].filter((index) => turns[index] !== 0);
}
