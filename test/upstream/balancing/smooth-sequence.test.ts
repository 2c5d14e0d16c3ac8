import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { smoothSequence } from '../../../src/upstream/balancing/smooth-sequence.ts';

const turnsOf = (sequence: Uint16Array, index: number) =>
  sequence.reduce((sum, each) => sum + (each === index ? 1 : 0), 0);

describe('a smooth sequence', () => {
  for (const { weights, sequence, why } of [
    { weights: [1], sequence: [0], why: 'one upstream takes all turns' },
    { weights: [7], sequence: [0], why: 'whatever its weight' },
    { weights: [1, 1, 1], sequence: [0, 1, 2], why: 'equal weights take turns' },
    { weights: [5, 5, 5], sequence: [0, 1, 2], why: 'weights count over their greatest common divisor' },
    { weights: [3, 1], sequence: [0, 0, 1, 0], why: 'the heavier one does not take its turns in one run' },
    { weights: [5, 1, 1], sequence: [0, 0, 1, 0, 2, 0, 0], why: 'as nginx does it' },
    { weights: [0, 0], sequence: [], why: 'without any weight nobody gets a turn' },
    { weights: [0, 1, 0, 1], sequence: [1, 3], why: 'a weight of 0 gets no turn' },
    { weights: [100, 200], sequence: [1, 0, 1], why: 'hundreds are as good as ones' },
  ]) {
    test(`${why}: ${weights.join(':')} gives ${sequence.join(' ')}`, () => {
      assert.deepEqual([...smoothSequence(weights)], sequence);
    });
  }

  test('gives each its share of every stretch, to less than one turn for two and two turns for more', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 6 }), (weights) => {
        const sequence = smoothSequence(weights);
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const taken = weights.map(() => 0);
        for (let place = 0; place < sequence.length * 2; place++) {
          const index = sequence[place % sequence.length] as number;
          taken[index] = (taken[index] as number) + 1;
          weights.forEach((weight, at) => {
            const share = (weight * (place + 1)) / sum;
            const off = Math.abs((taken[at] as number) - share);
            assert.ok(off < (weights.length === 2 ? 1 : 2), `${at} is ${off} turns off after ${place + 1}`);
          });
        }
      }),
    );
  });

  test('gives each exactly as many turns as its weight says', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        fc.pre(sum > 0);
        const sequence = smoothSequence(weights);
        weights.forEach((weight, index) => {
          assert.equal(turnsOf(sequence, index) * sum, weight * sequence.length);
        });
      }),
    );
  });

  test('of large weights is short, nearly right, and leaves out nobody', () => {
    for (const weights of [
      [4095, 4096],
      [1_000_003, 999_983],
      [1_000_000, 1],
      [65_535, 65_533, 65_521, 1],
    ]) {
      const sequence = smoothSequence(weights);
      assert.ok(sequence.length <= 4096, `${sequence.length} places`);
      const sum = weights.reduce((total, weight) => total + weight, 0);
      weights.forEach((weight, index) => {
        const turns = turnsOf(sequence, index);
        assert.ok(turns >= 1);
        assert.ok(Math.abs(turns / sequence.length - weight / sum) < 0.001, `${index} gets ${turns}`);
      });
    }
  });

  test('of many small weights and a large one is short all the same', () => {
    for (const weights of [
      [1_000_000, ...new Array<number>(1000).fill(1)],
      [100_000, 99_999, 0, ...new Array<number>(2000).fill(3)],
    ]) {
      const sequence = smoothSequence(weights);
      assert.ok(sequence.length <= 4096 && sequence.length > 4000, `${sequence.length} places`);
      weights.forEach((weight, index) => {
        assert.equal(turnsOf(sequence, index) > 0, weight > 0, `${index}`);
      });
    }
  });

  test('of more upstreams than places has one place for each', () => {
    const sequence = smoothSequence(new Array<number>(5000).fill(7));
    assert.equal(sequence.length, 5000);
    assert.equal(new Set(sequence).size, 5000);
    assert.equal(new Set(smoothSequence([1_000_000, ...new Array<number>(5000).fill(1)])).size, 5001);
  });
});
