import { PhotonError } from '../base/errors.ts';
import type { BalancedRequest, Balancer } from './balancing/balancer.ts';
import type { StickySessions } from './balancing/sticky-sessions.ts';
import type { Upstream } from './upstream.ts';

const NONE: readonly Upstream[] = [];

/** A named group of upstreams, and who among them takes the next request. */
export class Backend {
  readonly name: string;
  readonly upstreams: readonly Upstream[];
  /** Null: clients do not stay with an upstream. */
  readonly sticky: StickySessions<Upstream> | null;
  readonly #balancer: Balancer<Upstream>;
  /** Those that the pick under way must not choose. */
  #tried: readonly Upstream[] = NONE;

  /** With `sticky`, it is that which chooses. */
  constructor(
    name: string,
    upstreams: readonly Upstream[],
    balancer: Balancer<Upstream>,
    sticky: StickySessions<Upstream> | null = null,
  ) {
    this.name = name;
    this.upstreams = upstreams;
    this.sticky = sticky;
    this.#balancer = sticky ?? balancer;
  }

  /**
   * Chooses an upstream; not one of `tried` if there is another. Throws PhotonError no_upstream when none is well, and upstreams_full
   * when none of those that are can take another connection.
   */
  pick(request: BalancedRequest, tried: readonly Upstream[] = NONE): Upstream {
    this.#tried = tried;
    const upstream = this.#balancer.pick(request, this.#isFresh) ?? this.#balancer.pick(request, isEligible);
    if (upstream !== null) return upstream;
    if (this.upstreams.some((each) => each.well)) {
      throw new PhotonError('upstreams_full', 'No upstream can take another connection.');
    }
    throw new PhotonError('no_upstream', 'No upstream is well.');
  }

  readonly #isFresh = (upstream: Upstream): boolean => isEligible(upstream) && !this.#tried.includes(upstream);

  close(): void {
    for (const upstream of this.upstreams) upstream.close();
  }
}

function isEligible(upstream: Upstream): boolean {
  return upstream.well && upstream.hasRoom;
}
