import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  answered,
  claimed,
  claimOf,
  completed,
  opened,
  PHASE,
  type Phase,
  phaseOf,
  probeFailed,
  released,
  releasedBy,
} from '../../src/memory/breaker-word.ts';

const { CLOSED, OPEN, HALF_OPEN, PROBING, ANSWERED } = PHASE;
const PHASES = Object.values(PHASE);
const THRESHOLD = 3;

/** A word with its parts in view, written down here a second time. */
interface Parts {
  readonly flags: number;
  readonly phase: Phase;
  readonly successes: number;
  readonly row: number;
  readonly serial: number;
}

const toWord = ({ flags, phase, successes, row, serial }: Parts): number =>
  flags | (phase << 2) | (successes << 5) | (row << 15) | (serial << 25);

const toParts = (word: number): Parts => ({
  flags: word & 3,
  phase: phaseOf(word),
  successes: (word >>> 5) & 0x3ff,
  row: (word >>> 15) & 0x3ff,
  serial: word >>> 25,
});

/** Every word that matters: each phase, with few and many successes, first and last rows and serial numbers. */
function* everyWord(): Generator<Parts> {
  for (const flags of [0, 1, 2, 3])
    for (const phase of PHASES)
      for (const successes of phase === CLOSED || phase === OPEN ? [0] : [0, 1, 2])
        for (const row of [0, 1, 1023])
          for (const serial of phase === CLOSED || phase === OPEN ? [0, 1, 126, 127] : [1, 126, 127])
            yield { flags, phase, successes, row, serial };
}

/** One more success: the third closes, and the upstream's share begins to grow. */
const more = (parts: Parts, phase: Phase): Parts =>
  parts.successes + 1 >= THRESHOLD
    ? { ...parts, phase: CLOSED, successes: 0, flags: parts.flags | 2 }
    : { ...parts, phase, successes: parts.successes + 1 };

const probedBy = (parts: Parts, row: number): Parts => ({
  ...parts,
  phase: PROBING,
  row,
  serial: parts.serial === 127 ? 1 : parts.serial + 1,
});

interface Step {
  readonly name: string;
  readonly does: (word: number, claim: number) => number;
  /** What it has to come to. `own`: the claim is the one of the word. */
  readonly wants: (parts: Parts, own: boolean) => Parts;
}

const isHalfOpen = ({ phase }: Parts): boolean => phase === HALF_OPEN || phase === PROBING || phase === ANSWERED;

const STEPS: readonly Step[] = [
  {
    name: 'opened',
    does: (word) => opened(word),
    wants: (parts) => (parts.phase === CLOSED ? { ...parts, phase: OPEN } : parts),
  },
  {
    name: 'claimed in time',
    does: (word) => claimed(word, 7, false, THRESHOLD),
    wants: (parts) => (parts.phase === HALF_OPEN ? probedBy(parts, 7) : parts),
  },
  {
    name: 'claimed when due',
    does: (word) => claimed(word, 7, true, THRESHOLD),
    wants(parts) {
      if (parts.phase === CLOSED) return parts;
      if (parts.phase !== ANSWERED) return probedBy(parts, 7);
      const counted = more(parts, PROBING);
      return counted.phase === CLOSED ? counted : probedBy(counted, 7);
    },
  },
  {
    name: 'answered',
    does: (word, claim) => answered(word, claim, THRESHOLD),
    wants(parts, own) {
      if (parts.phase === PROBING && own) return { ...parts, phase: ANSWERED };
      return isHalfOpen(parts) ? more(parts, parts.phase) : parts;
    },
  },
  {
    name: 'completed',
    does: (word, claim) => completed(word, claim, THRESHOLD),
    wants: (parts, own) => (parts.phase === ANSWERED && own ? more(parts, HALF_OPEN) : parts),
  },
  {
    name: 'failed',
    does: (word) => probeFailed(word),
    wants: (parts) => (isHalfOpen(parts) ? { ...parts, phase: OPEN, successes: 0 } : parts),
  },
  {
    name: 'released',
    does: (word, claim) => released(word, claim),
    wants: (parts, own) =>
      own && (parts.phase === PROBING || parts.phase === ANSWERED) ? { ...parts, phase: HALF_OPEN } : parts,
  },
  {
    name: 'released by the death of row 1',
    does: (word) => releasedBy(word, 1),
    wants: (parts) =>
      parts.row === 1 && (parts.phase === PROBING || parts.phase === ANSWERED) ? { ...parts, phase: HALF_OPEN } : parts,
  },
];

describe('the word of a circuit breaker', () => {
  for (const { name, does, wants } of STEPS) {
    test(`goes where the diagram says from every state, and leaves the rest as it is: ${name}`, () => {
      for (const parts of everyWord()) {
        const word = toWord(parts);
        for (const own of [true, false]) {
          const claim = own ? claimOf(word) : claimOf(word) ^ 4;
          assert.deepEqual(toParts(does(word, claim)), wants(parts, own), JSON.stringify({ parts, own }));
        }
      }
    });
  }

  test('can get from every state to closed, whatever probes never end, and from there to open', () => {
    for (const parts of everyWord()) {
      let word = toWord(parts);
      for (let probes = 0; phaseOf(word) !== CLOSED; probes++) {
        assert.ok(probes < 2 * THRESHOLD, `stuck in ${JSON.stringify(toParts(word))}`);
        word = claimed(word, 3, true, THRESHOLD);
        word = answered(word, claimOf(word), THRESHOLD);
      }
      assert.equal(phaseOf(opened(word)), OPEN);
    }
  });

  test('never gives the same claim twice in a hundred and twenty-six in a row, nor one that is none', () => {
    let word = opened(0);
    const claims: number[] = [];
    for (let turn = 0; turn < 126; turn++) {
      word = claimed(word, 0, true, THRESHOLD);
      claims.push(claimOf(word));
      word = turn % 3 === 0 ? opened(probeFailed(word)) : released(word, claimOf(word));
    }
    assert.equal(new Set(claims).size, claims.length);
    assert.ok(claims.every((claim) => claim > 0));
  });

  test('of a single success closes with it', () => {
    const probing = claimed(opened(0), 5, true, 1);
    assert.equal(phaseOf(completed(answered(probing, claimOf(probing), 1), claimOf(probing), 1)), CLOSED);
  });
});
