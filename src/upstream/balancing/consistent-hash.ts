import { murmur3 } from '../../base/murmur3.ts';
import type { BalancedRequest, Balancer, Candidate, Eligible } from './balancer.ts';
import type { HashKey } from './hash-key.ts';
import { HashRing } from './hash-ring.ts';

/** Of request keys. */
const SEED = 0;

/**
 * Requests with the same key go to the same candidate, in every worker, after a restart and on every machine: the one whose place on the
 * ring the key's hash belongs to, or, while that is not eligible, the next one on the ring that is. So the keys of a candidate that is gone
 * spread over all others, and no other key moves. A request without the key goes by its client's address.
 */
export class ConsistentHash<C extends Candidate> implements Balancer<C> {
  /** In the order of their keys: the order in the configuration makes no difference. */
  readonly #candidates: readonly C[];
  readonly #key: HashKey;
  /** Made at the first pick: a reload has no time for the rings of all backends at once. */
  #ring: HashRing | null = null;
  /** By candidate: the number of the search that considered it last. A double counts further than any process lives. */
  readonly #askedIn: Float64Array;
  #searches = 0;

  constructor(candidates: readonly C[], key: HashKey) {
    this.#candidates = candidates.filter(({ weight }) => weight > 0).sort((a, b) => (a.key < b.key ? -1 : 1));
    this.#key = key;
    this.#askedIn = new Float64Array(this.#candidates.length);
  }

  pick(request: BalancedRequest, eligible: Eligible<C>): C | null {
    if (this.#candidates.length === 0) return null;
    this.#ring ??= new HashRing(this.#candidates);
    const ring = this.#ring;
    const start = ring.placeOf(murmur3(this.#key(request) ?? request.clientAddress, SEED));
    const first = this.#candidates[ring.ownerAt(start)] as C;
    return eligible(first) ? first : this.#nextFrom(start, ring, eligible);
  }

  /** Walks on from `start`, and considers no candidate twice: there are many more places than candidates. */
  #nextFrom(start: number, ring: HashRing, eligible: Eligible<C>): C | null {
    const search = ++this.#searches;
    this.#askedIn[ring.ownerAt(start)] = search;
    let place = start;
    for (let asked = 1; asked < this.#candidates.length; ) {
      place = place + 1 === ring.size ? 0 : place + 1;
      const owner = ring.ownerAt(place);
      if (this.#askedIn[owner] === search) continue;
      this.#askedIn[owner] = search;
      asked++;
      const candidate = this.#candidates[owner] as C;
      if (eligible(candidate)) return candidate;
    }
    return null;
  }
}
