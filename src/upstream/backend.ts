import { PhotonError } from '../base/errors.ts';
import type { RetryBackoffConfig } from '../config/config.ts';
import type { BalancedRequest, Balancer } from './balancing/balancer.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Upstream } from './upstream.ts';
import type { WaitingLine } from './waiting-line.ts';

const NONE: readonly Upstream[] = [];

/** What a backend does for requests that cannot be sent at once, or whose upstream fails. */
export interface Relief {
  /** Where they wait for a connection. */
  readonly line: WaitingLine;
  readonly retryBudget: RetryBudget;
  readonly retryBackoff: RetryBackoffConfig;
}

/** A named group of upstreams, and who among them takes the next request. */
export class Backend {
  readonly name: string;
  readonly upstreams: readonly Upstream[];
  readonly relief: Relief;
  readonly #balancer: Balancer<Upstream>;
  /** Those that the pick under way must not choose. */
  #tried: readonly Upstream[] = NONE;

  constructor(name: string, upstreams: readonly Upstream[], balancer: Balancer<Upstream>, relief: Relief) {
    this.name = name;
    this.upstreams = upstreams;
    this.#balancer = balancer;
    this.relief = relief;
  }

  /**
   * Chooses an upstream; not one of `tried` if there is another. Null: those that are well have as many connections as they may.
   * Throws PhotonError no_upstream when none is well.
   */
  pick(request: BalancedRequest, tried: readonly Upstream[] = NONE): Upstream | null {
    this.#tried = tried;
    const upstream = this.#balancer.pick(request, this.#isFresh) ?? this.#balancer.pick(request, isEligible);
    if (upstream !== null) return upstream;
    if (this.upstreams.some((each) => each.well)) return null;
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
