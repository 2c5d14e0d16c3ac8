/** Weights (whole numbers >= 0) over their greatest common divisor. */
export function smallestWeights(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  return divisor === 0 ? weights : weights.map((weight) => weight / divisor);
}

/**
 * Weights scaled down, where they add up to more than `limit`, until they do not. None above 0 falls below 1: those that would
 * get their 1 first, and the others share what is left. Where there are more of them than `limit`, the sum stays above it.
 */
export function fitWeights(weights: readonly number[], limit: number): readonly number[] {
  let [rest, share] = [sumOf(weights), limit];
  if (rest <= limit) return weights;
  const isSmall = new Array<boolean>(weights.length).fill(false);
  for (let found = true; found; ) {
    found = false;
    for (const [index, weight] of weights.entries()) {
      if (weight === 0 || isSmall[index] || weight * share >= rest) continue;
      isSmall[index] = true;
      found = true;
      rest -= weight;
      share -= 1;
    }
  }
  return weights.map((weight, index) =>
    weight === 0 || isSmall[index] ? Math.sign(weight) : Math.floor((weight * share) / rest),
  );
}

export function sumOf(weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
