import { utf8Bytes } from '../../base/latin1.ts';
import { murmur3, murmur3OfNumber } from '../../base/murmur3.ts';
import { fitWeights, smallestWeights, sumOf } from './weights.ts';

const POINTS_PER_WEIGHT = 150;
/** More points would take longer to make than a worker may stand still, for a precision without effect. */
const MAX_POINTS = 65_536;
const HASH_BITS = 32;

/** A member of a ring, which has points on it. */
export interface RingMember {
  readonly key: string;
  /** A whole number above 0. */
  readonly weight: number;
}

/**
 * A ring of hashes from 0 to 2^32 - 1, on which every member has points; a hash belongs to the first point at or after it, and
 * after the last point comes the first.
 *
 *   place   |     0      |     1      |     2      |     3      | ...   by ascending point
 *   point   | 0x01a00000 | 0x3c200000 | 0x3f000000 | 0x44000000 | ...
 *   owner   |     2      |     0      |     2      |     1      | ...   index into `members`
 *
 *   sector        0              1            2            3      ...   the highest bits of a hash
 *   start         0              1            3            3      ...   the first place in the sector or after it
 *
 * Point i of a member is the hash of the number murmur3(key, 1) + i with the seed murmur3(key, 0), the key in UTF-8: it depends on
 * nothing else, so that members come and go without a move of the others' points. A member has 150 points for each unit of its weight, weights taken over their
 * greatest common divisor, and scaled down to 65536 points in all. Invariant: each has at least one.
 *
 * There are at least as many sectors as points. As hashes are spread evenly, a sector has few points, one or two as a rule.
 */
export class HashRing {
  readonly #points: Uint32Array;
  readonly #owners: Uint32Array;
  readonly #starts: Uint32Array;
  /** How far a hash is shifted to give its sector. */
  readonly #shift: number;

  /** `members`: at least one. Points at the same place go to the first of them. */
  constructor(members: readonly RingMember[]) {
    const counts = pointCounts(members);
    const size = sumOf(counts);
    this.#points = new Uint32Array(size);
    this.#owners = new Uint32Array(size);
    this.#shift = Math.min(HASH_BITS - 1, Math.clz32(size - 1));
    this.#starts = new Uint32Array((1 << (HASH_BITS - this.#shift)) + 1);
    this.#scatter(unsortedPoints(members, counts), counts);
    this.#sort();
  }

  /** How many places there are. */
  get size(): number {
    return this.#points.length;
  }

  /** The place that `hash` belongs to. */
  placeOf(hash: number): number {
    let place = this.#starts[hash >>> this.#shift] as number;
    while (place < this.#points.length && (this.#points[place] as number) < hash) place++;
    return place === this.#points.length ? 0 : place;
  }

  /** The index of the member that a place belongs to. */
  ownerAt(place: number): number {
    return this.#owners[place] as number;
  }

  /** Puts points into the places of their sectors, from the last to the first, so that `#starts` ends up where each starts. */
  #scatter(points: Uint32Array, counts: readonly number[]): void {
    const [starts, shift] = [this.#starts, this.#shift];
    for (const point of points) bump(starts, point >>> shift, 1);
    for (let sector = 1; sector < starts.length; sector++) bump(starts, sector, starts[sector - 1] as number);
    let next = points.length;
    for (let owner = counts.length - 1; owner >= 0; owner--) {
      for (let number = counts[owner] as number; number > 0; number--) {
        const point = points[--next] as number;
        const place = bump(starts, point >>> shift, -1);
        this.#points[place] = point;
        this.#owners[place] = owner;
      }
    }
  }

  /** By insertion: each point is in its sector already, and has to move a place or two within it. */
  #sort(): void {
    const [points, owners] = [this.#points, this.#owners];
    for (let next = 1; next < points.length; next++) {
      const point = points[next] as number;
      const owner = owners[next] as number;
      let place = next;
      for (; place > 0 && (points[place - 1] as number) > point; place--) {
        points[place] = points[place - 1] as number;
        owners[place] = owners[place - 1] as number;
      }
      points[place] = point;
      owners[place] = owner;
    }
  }
}

function pointCounts(members: readonly RingMember[]): readonly number[] {
  const weights = smallestWeights(members.map(({ weight }) => weight));
  return fitWeights(
    weights.map((weight) => weight * POINTS_PER_WEIGHT),
    MAX_POINTS,
  );
}

/** The points of the first member, of the second, and so on. */
function unsortedPoints(members: readonly RingMember[], counts: readonly number[]): Uint32Array {
  const points = new Uint32Array(sumOf(counts));
  let next = 0;
  for (const [owner, { key }] of members.entries()) {
    const bytes = utf8Bytes(key);
    const seed = murmur3(bytes, 0);
    const first = murmur3(bytes, 1);
    const count = counts[owner] as number;
    for (let number = 0; number < count; number++) points[next++] = murmur3OfNumber(first + number, seed);
  }
  return points;
}

/** Adds to a count, and returns it. */
function bump(counts: Uint32Array, index: number, by: number): number {
  const count = (counts[index] as number) + by;
  counts[index] = count;
  return count;
}
