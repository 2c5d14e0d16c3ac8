import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseCoding } from '../../src/http/accept-encoding.ts';

const OURS = ['zstd', 'br', 'gzip'] as const;
type Coding = (typeof OURS)[number];

interface Row {
  readonly accept: string | undefined;
  readonly offered?: readonly Coding[];
  readonly chosen: Coding | null;
  readonly why: string;
}

const TABLE: readonly Row[] = [
  { accept: undefined, chosen: null, why: 'who does not ask may not know how to decode' },
  { accept: '', chosen: null, why: 'an empty list is no coding at all (RFC 9110 12.5.3)' },
  { accept: ' , ,', chosen: null, why: 'empty elements are none' },
  { accept: 'gzip, deflate, br, zstd', chosen: 'zstd', why: 'among equals the order of the offer' },
  { accept: 'gzip, deflate, br, zstd', offered: ['gzip', 'br'], chosen: 'gzip', why: 'another offer' },
  { accept: 'gzip, deflate, br', chosen: 'br', why: 'what the client does not name is not chosen' },
  { accept: 'deflate', chosen: null, why: 'a coding that we do not have' },
  { accept: 'compress, x-compress', chosen: null, why: 'others of the registry' },
  { accept: 'gzip;q=1.0, br;q=0.9, zstd;q=0.8', chosen: 'gzip', why: 'the client likes gzip best' },
  { accept: 'br;q=0.001, zstd;q=0', chosen: 'br', why: 'a little is enough' },
  { accept: 'gzip;q=0', chosen: null, why: 'a weight of 0 is no' },
  { accept: 'gzip;q=0.000', chosen: null, why: 'with three digits too' },
  { accept: 'gzip;q=0.', chosen: null, why: 'and with none' },
  { accept: 'gzip;q=1.', chosen: 'gzip', why: 'the grammar lets digits be missing' },
  { accept: '*', chosen: 'zstd', why: 'anything' },
  { accept: '*;q=0', chosen: null, why: 'nothing, not even the identity, of which we are not the ones to refuse it' },
  { accept: '*;q=0, br', chosen: 'br', why: 'nothing but' },
  { accept: '*, zstd;q=0', chosen: 'br', why: 'anything but' },
  { accept: 'gzip;q=0.5, *;q=0.7', chosen: 'zstd', why: 'the others are liked better' },
  { accept: 'gzip;q=0.5, *;q=0.7', offered: ['gzip'], chosen: null, why: 'the identity is among the others' },
  { accept: 'identity', chosen: null, why: 'as it is' },
  { accept: 'identity;q=1, gzip;q=0.5', chosen: null, why: 'as it is, rather' },
  { accept: 'identity, gzip', chosen: 'gzip', why: 'both alike: the smaller' },
  { accept: 'identity;q=0.5, gzip', chosen: 'gzip', why: 'rather not as it is' },
  { accept: 'identity;q=0', chosen: null, why: 'not as it is, but nothing else is named' },
  { accept: 'identity;q=0, *', chosen: 'zstd', why: 'anything but as it is' },
  { accept: 'GZip;Q=0.4, BR;Q=0.5', chosen: 'br', why: 'names have no case' },
  { accept: 'gzip ; q=0.4,\tbr\t;\tq=0.5', chosen: 'br', why: 'blanks around' },
  { accept: 'x-gzip', chosen: 'gzip', why: 'an old name (RFC 9110 8.4.1.3)' },
  { accept: 'gzip, gzip;q=0', chosen: null, why: 'of two words on one coding the careful one' },
  { accept: 'gzip;q=0, x-gzip', chosen: null, why: 'under two names too' },
  { accept: 'gzip;q=2', chosen: null, why: 'no weight: better not' },
  { accept: 'gzip;q=-1', chosen: null, why: 'no weight' },
  { accept: 'gzip;q=0.5555', chosen: null, why: 'too many digits' },
  { accept: 'gzip;q=', chosen: null, why: 'no weight at all' },
  { accept: 'gzip;level=9', chosen: null, why: 'codings have no parameters' },
  { accept: 'gzip;q=1;q=0', chosen: null, why: 'two weights' },
  { accept: 'gzip;', chosen: null, why: 'a semicolon too many' },
  { accept: 'gzip br', chosen: null, why: 'no comma' },
  { accept: 'gzip\u00a0', chosen: null, why: 'a no-break space is no blank' },
  { accept: '__proto__, constructor', chosen: null, why: 'words that mean something to JavaScript' },
];

for (const { accept, offered = OURS, chosen, why } of TABLE) {
  test(`${accept === undefined ? 'nothing' : JSON.stringify(accept)} of ${offered.join(' ')} is ${chosen}: ${why}`, () => {
    assert.equal(chooseCoding(accept, offered), chosen);
  });
}

// --- every list of up to three words, and lists of anything ------------------------------------------------------------

const WEIGHTS = ['', ';q=0', ';q=0.5', ';q=1'];
const NAMES = ['gzip', 'br', 'identity', '*', 'deflate'];
const ELEMENTS = NAMES.flatMap((name) => WEIGHTS.map((weight) => name + weight));

/** RFC 9110 12.5.3, as a reader would write it down who does not look at our code; null: not said. */
function weightOf(accept: string, coding: string): number | null {
  const said = (name: string) =>
    accept
      .split(',')
      .map((element) => element.trim().split(';q='))
      .filter(([each]) => each === name)
      .map(([, weight]) => Number(weight ?? 1));
  const named = said(coding);
  if (named.length > 0) return Math.min(...named);
  const others = said('*');
  return others.length > 0 ? Math.min(...others) : null;
}

function assertWellChosen(accept: string, offered: readonly Coding[]): void {
  const chosen = chooseCoding(accept, offered);
  const weights = offered.map((coding) => weightOf(accept, coding) ?? 0);
  const best = Math.max(...weights, 0);
  if (chosen === null) {
    assert.ok(best === 0 || (weightOf(accept, 'identity') ?? 0) > best, `${accept}: nothing, and ${best} was there`);
    return;
  }
  const weight = weightOf(accept, chosen) ?? 0;
  assert.ok(weight > 0, `${accept}: ${chosen} is not acceptable`);
  assert.equal(weight, best, `${accept}: another one is liked better`);
  assert.equal(chosen, offered[weights.indexOf(best)], `${accept}: an earlier one is liked as much`);
  assert.ok((weightOf(accept, 'identity') ?? 0) <= weight, `${accept}: as it is would be liked better`);
}

test('of every list of up to three words the best acceptable coding is chosen', () => {
  for (const first of ELEMENTS) {
    assertWellChosen(first, ['br', 'gzip']);
    for (const second of ELEMENTS) {
      assertWellChosen(`${first},${second}`, ['br', 'gzip']);
      for (const third of ELEMENTS) assertWellChosen(`${first}, ${second}, ${third}`, ['gzip', 'br']);
    }
  }
});

const offers = fc.shuffledSubarray([...OURS], { minLength: 1 });

test('whatever list of codings and weights a client sends, the best acceptable coding is chosen', () => {
  const weight = fc.integer({ min: 0, max: 1000 }).map((thousandths) => `;q=${(thousandths / 1000).toFixed(3)}`);
  const name = fc.constantFrom('gzip', 'br', 'zstd', 'identity', '*', 'deflate', 'foo');
  const element = fc.tuple(name, fc.option(weight, { nil: '' })).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(element, { maxLength: 8 }), offers, (elements, offered) => {
      assertWellChosen(elements.join(', '), offered);
    }),
  );
});

test('whatever text a client sends, nothing is chosen that it does not name', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary-ascii' }),
    fc
      .array(fc.constantFrom('gzip', 'br', ';', 'q', '=', '0', '.', '1', ',', ' ', '*', '\t', 'x-'))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, offers, (accept, offered) => {
      const chosen = chooseCoding(accept, offered);
      assert.ok(chosen === null || accept.toLowerCase().includes(chosen) || accept.includes('*'), `${chosen}`);
    }),
  );
});
