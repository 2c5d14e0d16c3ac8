import { trimBlanks } from './characters.ts';

/** RFC 9110 12.4.2. */
const WEIGHT = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * Which of the codings on offer, the preferred one first, a client wants (RFC 9110 12.5.3); null: none, the body goes as it is.
 * Among those that it likes best the order of the offer decides. Without the field any coding would be acceptable, but who does not
 * ask may well not know how to decode: none.
 */
export function chooseCoding<C extends string>(acceptEncoding: string | undefined, offered: readonly C[]): C | null {
  if (acceptEncoding === undefined) return null;
  const weights = weightsIn(acceptEncoding);
  const others = weights.get('*');
  let best: C | null = null;
  // As it is counts only where the client says something of it; otherwise everything that it names is better.
  let bestWeight = weights.get('identity') ?? others ?? 0;
  for (const coding of offered) {
    const weight = weights.get(coding) ?? others ?? 0;
    if (weight === 0 || weight < bestWeight || (weight === bestWeight && best !== null)) continue;
    best = coding;
    bestWeight = weight;
  }
  return best;
}

/** By lower-case name. A weight that is none makes a coding one that the client does not want, and of two for one name the lower counts. */
function weightsIn(acceptEncoding: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const element of acceptEncoding.split(',')) {
    const [name = '', ...parameters] = element.split(';').map((part) => trimBlanks(part).toLowerCase());
    if (name === '') continue;
    // RFC 9110 8.4.1.3: `x-gzip` is gzip.
    const coding = name === 'x-gzip' ? 'gzip' : name;
    weights.set(coding, Math.min(weightOf(parameters), weights.get(coding) ?? 1));
  }
  return weights;
}

function weightOf(parameters: readonly string[]): number {
  const [parameter] = parameters;
  if (parameter === undefined) return 1;
  const value = /^q=(.*)$/.exec(parameter)?.[1] ?? '';
  return parameters.length === 1 && WEIGHT.test(value) ? Number(value) : 0;
}
