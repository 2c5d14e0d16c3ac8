import { hash } from 'node:crypto';
import type { StickyConfig } from '../../config/config.ts';
import { cookieValue, type SessionCookie, setCookieValue } from '../../http/cookie.ts';
import type { BalancedRequest, Balancer, Candidate, Eligible } from './balancer.ts';

/** 96 bits: it is practically impossible that two upstreams of a backend share an id. */
const ID_CHARACTERS = 16;

/** By id, and by candidate. */
interface Ids<C> {
  readonly candidates: ReadonlyMap<string, C>;
  readonly ids: ReadonlyMap<C, string>;
}

/**
 * Keeps each client with the candidate that a cookie names, for as long as that is eligible; otherwise, and for clients without
 * the cookie, an algorithm chooses, and the reply names its choice.
 *
 * An id is a digest of the cookie's name, the backend's and the candidate's key: the same in every worker, after a restart and on
 * every machine with such a configuration, and others come and go without a change of it. It spares clients the addresses behind
 * the gateway, but it is no secret: a guess of all three can be verified.
 */
export class StickySessions<C extends Candidate> implements Balancer<C> {
  readonly #cookie: SessionCookie;
  readonly #backend: string;
  readonly #candidates: readonly C[];
  readonly #otherwise: Balancer<C>;
  /** Made at the first pick: a thousand digests take two milliseconds, and a reload has none for each backend. */
  #known: Ids<C> | null = null;

  /** `backend`: its name. `otherwise`: the algorithm. */
  constructor(
    { cookie, ttlMs, secure }: StickyConfig,
    backend: string,
    candidates: readonly C[],
    otherwise: Balancer<C>,
  ) {
    const maxAgeSeconds = ttlMs === null ? null : Math.ceil(ttlMs / 1000);
    this.#cookie = { name: cookie, maxAgeSeconds, secure };
    this.#backend = backend;
    this.#candidates = candidates;
    this.#otherwise = otherwise;
  }

  pick(request: BalancedRequest, eligible: Eligible<C>): C | null {
    const named = this.namedBy(request);
    if (named !== null && named.weight > 0 && eligible(named)) return named;
    return this.#otherwise.pick(request, eligible);
  }

  /** The candidate that the client's cookie names; null if it names none. */
  namedBy(request: BalancedRequest): C | null {
    const field = request.headerValue('cookie');
    const id = field === undefined ? undefined : cookieValue(field, this.#cookie.name);
    return id === undefined ? null : (this.#identities().candidates.get(id) ?? null);
  }

  /** The value of Set-Cookie with the id of the candidate that answered; null if the client has this cookie already. */
  cookieFor(request: BalancedRequest, answered: C): string | null {
    if (this.namedBy(request) === answered) return null;
    const id = this.#identities().ids.get(answered);
    return id === undefined ? null : setCookieValue(this.#cookie, id);
  }

  #identities(): Ids<C> {
    if (this.#known === null) {
      const pairs = this.#candidates.map((candidate) => [this.#idOf(candidate), candidate] as const);
      this.#known = { candidates: new Map(pairs), ids: new Map(pairs.map(([id, candidate]) => [candidate, id])) };
    }
    return this.#known;
  }

  #idOf({ key }: C): string {
    // No line feed can stand in any of them: different ones make different texts.
    const text = [this.#cookie.name, this.#backend, key].join('\n');
    return hash('sha256', text, 'base64url').slice(0, ID_CHARACTERS);
  }
}
