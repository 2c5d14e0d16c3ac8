import fc from 'fast-check';

/** A decoder under attack: inputs without end, and what has to hold for each. */
export interface Target<Input> {
  readonly name: string;
  /** Inputs are plain values that JSON can hold. */
  readonly inputs: fc.Arbitrary<Input>;
  /** Says how the decoder fared with an input; throws when it did what it must not. */
  examine(input: Input): Promise<string>;
  /** How many inputs `npm test` shows it: enough to find what was broken on purpose, in about a second. */
  readonly runsInTests: number;
  /** The least share of a run's inputs that has to come to each of these verdicts: else nothing much was tested. */
  readonly shares: Readonly<Record<string, number>>;
}

/** What came of many inputs. */
export interface Outcome<Input> {
  readonly runs: number;
  /** How many inputs came to each verdict. */
  readonly verdicts: ReadonlyMap<string, number>;
  readonly finding: Finding<Input> | null;
}

/** An input, made as small as possible, with which the decoder did what it must not. */
export interface Finding<Input> {
  readonly input: Input;
  readonly why: string;
}

/** Shows a target `runs` inputs, the same ones for the same `seed`. */
export async function attack<Input>(target: Target<Input>, seed: number, runs: number): Promise<Outcome<Input>> {
  const verdicts = new Map<string, number>();
  const property = fc.asyncProperty(target.inputs, async (input) => {
    const verdict = await target.examine(input);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  });
  const { counterexample, errorInstance, numRuns } = await fc.check(property, { seed, numRuns: runs });
  if (counterexample === null) return { runs: numRuns, verdicts, finding: null };
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return { runs: numRuns, verdicts, finding: { input: counterexample[0], why } };
}
