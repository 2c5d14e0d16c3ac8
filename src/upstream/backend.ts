import { PhotonError } from '../base/errors.ts';
import type { RetryBackoffConfig } from '../config/config.ts';
import { STATUS } from '../memory/upstream-state.ts';
import type { DownstreamPeer } from '../net/streams.ts';
import { BackendReference } from './backend-reference.ts';
import type { BalancedRequest, Balancer } from './balancing/balancer.ts';
import type { StickySessions } from './balancing/sticky-sessions.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { RequestQueue } from './request-queue.ts';
import type { RetryBudget } from './retry-budget.ts';
import { rampShare } from './slow-start.ts';
import type { Upstream } from './upstream.ts';

const NONE: readonly Upstream[] = [];

/** How a backend treats requests that cannot be sent at once, or whose upstream fails. */
export interface OverloadPolicy {
  /** The requests that wait for a connection. */
  readonly queue: RequestQueue;
  readonly retryBudget: RetryBudget;
  readonly retryBackoff: RetryBackoffConfig;
}

/** When a backend leaves an upstream out, or sends it less. */
export interface EjectionPolicy {
  /** Null: upstreams that keep failing are not left alone. */
  readonly breaker: CircuitBreaker | null;
  /** If a smaller share of the upstreams is well, all count as well; 0: never. */
  readonly panicThreshold: number;
  /** The time in which the share of an upstream that comes up grows to the whole. Null: it has its whole share at once. */
  readonly slowStartMs: number | null;
  /** From 0 to less than 1. */
  readonly random: () => number;
  readonly time: { readonly eventMs: number };
  /** Time between two health checks of an upstream. */
  readonly checkIntervalMs: number;
}

/**
 * A named group of upstreams. It chooses the upstream of each request.
 *
 * A pick asks the balancer for an upstream that may be chosen: it is well, below its limit and was not tried before. An upstream that is
 * not well is examined only when the balancer comes across it:
 *
 *   - in a panic (too few upstreams are well) it may be chosen all the same;
 *   - one whose breaker is due for a probe may be chosen, and is taken when the claim is won; when another worker wins it, the pick
 *     goes on with the others;
 *   - an upstream that is coming up is passed over now and then, unless there is no other.
 *
 * A request that has failed already is no probe while an upstream that is well has not been tried: with few retries it would fail for good.
 */
export class Backend {
  readonly name: string;
  readonly upstreams: readonly Upstream[];
  readonly overload: OverloadPolicy;
  readonly reference: BackendReference<Backend>;
  /** Null: clients do not stay with an upstream. */
  readonly sticky: StickySessions<Upstream> | null;
  readonly #balancer: Balancer<Upstream>;
  readonly #policy: EjectionPolicy;
  /** The bits of an upstream's status that matter under this policy. */
  readonly #statusMask: number;
  /** The upstreams that can be chosen at all: their weight is above 0. */
  readonly #weighted: readonly Upstream[];
  /** The upstreams of the attempts before; the pick under way chooses another one if it can. */
  #attempted: readonly Upstream[] = NONE;
  /** Upstreams whose probe another worker has claimed during the pick under way: it does not choose them. */
  #probedElsewhere: readonly Upstream[] = NONE;
  /** Null: the pick under way has not needed it yet. */
  #panics: boolean | null = null;
  /** Decides which upstreams are passed over, one draw for all of them; negative: the pick under way has not needed it yet. */
  #draw = -1;
  #passedOver = false;
  /** No upstream is probed with this request. */
  #sparesRequest = false;

  /** If `sticky` is set, it wraps the balancer. */
  constructor(
    name: string,
    upstreams: readonly Upstream[],
    balancer: Balancer<Upstream>,
    policy: EjectionPolicy,
    overload: OverloadPolicy,
    sticky: StickySessions<Upstream> | null = null,
    reference: BackendReference<Backend> = new BackendReference(),
  ) {
    this.overload = overload;
    this.reference = reference;
    this.name = name;
    this.upstreams = upstreams;
    this.sticky = sticky;
    this.#balancer = sticky ?? balancer;
    this.#policy = policy;
    this.#weighted = upstreams.filter(({ weight }) => weight > 0);
    const tripped = policy.breaker === null ? 0 : STATUS.TRIPPED;
    const ramping = policy.slowStartMs === null ? 0 : STATUS.RAMPING;
    this.#statusMask = STATUS.UNHEALTHY | tripped | ramping;
  }

  /** The backend to send requests to: this one, or another one with the servers that its names stand for now. */
  get current(): Backend {
    return this.reference.current ?? this;
  }

  /** Serves from now on. Requests that wait for an upstream of the backend before wait for an upstream of this one. */
  activate(): void {
    this.reference.replace(this)?.overload.queue.moveTo(this.overload.queue);
  }

  /** Null: upstreams that keep failing are not left alone. */
  get breaker(): CircuitBreaker | null {
    return this.#policy.breaker;
  }

  /**
   * Chooses an upstream; not one of `attempted` if there is another. Null: those that are well have as many connections as they may.
   * Throws PhotonError no_upstream when none is well. The caller has to begin an attempt there, for it may hold the probe.
   */
  pick(request: BalancedRequest, attempted: readonly Upstream[] = NONE): Upstream | null {
    this.#attempted = attempted;
    this.#probedElsewhere = NONE;
    this.#panics = null;
    for (;;) {
      const upstream = this.#choose(request);
      if (upstream === null) return this.#noCapacity();
      if ((upstream.status & this.#statusMask & STATUS.TRIPPED) === 0 || this.#holdsProbe(upstream)) return upstream;
      this.#probedElsewhere = [...this.#probedElsewhere, upstream];
    }
  }

  /**
   * The upstream that has a private connection of this client. Its requests go there while it is well, whatever the balancer would choose.
   * Null if there is none, or if it is one of `attempted`.
   */
  pickPrivate(peer: DownstreamPeer, attempted: readonly Upstream[]): Upstream | null {
    if (peer.privateConnections === null) return null;
    const isUsable = (upstream: Upstream) =>
      upstream.hasPrivate(peer) && this.#isWell(upstream) && !attempted.includes(upstream);
    return this.upstreams.find(isUsable) ?? null;
  }

  #choose(request: BalancedRequest): Upstream | null {
    this.#sparesRequest = this.#attempted.length > 0;
    const upstream = this.#pickUnattempted(request);
    if (upstream !== null || !this.#sparesRequest) return upstream;
    this.#sparesRequest = false;
    return this.#pickUnattempted(request) ?? this.#balancer.pick(request, this.#isEligible);
  }

  #pickUnattempted(request: BalancedRequest): Upstream | null {
    this.#draw = -1;
    this.#passedOver = false;
    const upstream = this.#balancer.pick(request, this.#isUnattempted);
    if (upstream !== null || !this.#passedOver) return upstream;
    // A draw of 0 passes no upstream over.
    this.#draw = 0;
    return this.#balancer.pick(request, this.#isUnattempted);
  }

  readonly #isUnattempted = (upstream: Upstream): boolean =>
    this.#isEligible(upstream) && !this.#attempted.includes(upstream);

  readonly #isEligible = (upstream: Upstream): boolean => {
    const marks = upstream.status & this.#statusMask;
    return (marks === 0 || this.#admits(upstream, marks)) && upstream.hasCapacity;
  };

  /** Whether an upstream with marks may be chosen. */
  #admits(upstream: Upstream, marks: number): boolean {
    if ((marks & ~STATUS.RAMPING) !== 0) return this.#mayServe(upstream, marks);
    if (this.#draw < 0) this.#draw = this.#policy.random();
    const { slowStartMs, time } = this.#policy;
    // Sound: without a slow start the mark is not among the bits that matter.
    if (this.#draw < rampShare(upstream.state, slowStartMs as number, time.eventMs)) return true;
    this.#passedOver = true;
    return false;
  }

  /** Whether a request may be sent to an upstream that is not well. */
  #mayServe(upstream: Upstream, marks: number): boolean {
    this.#panics ??= this.#isPanic();
    if (this.#panics) return true;
    if (this.#sparesRequest || (marks & STATUS.UNHEALTHY) !== 0 || this.#probedElsewhere.includes(upstream))
      return false;
    return this.breaker?.mayProbe(upstream) ?? true;
  }

  /** Counted only if a pick has come across an upstream that is not well. */
  #isPanic(): boolean {
    const { panicThreshold } = this.#policy;
    if (panicThreshold === 0) return false;
    const well = this.#weighted.filter((upstream) => this.#isWell(upstream)).length;
    return well < panicThreshold * this.#weighted.length;
  }

  #isWell(upstream: Upstream): boolean {
    return (upstream.status & this.#statusMask & ~STATUS.RAMPING) === 0;
  }

  /** Claims the probe of an upstream that is not well. In a panic it gets the request in any case. */
  #holdsProbe(upstream: Upstream): boolean {
    const { breaker } = this.#policy;
    return breaker === null || upstream.claimProbe(breaker) || this.#panics === true;
  }

  /** No upstream could be chosen: null if that is because those that are well are at their limits. */
  #noCapacity(): null {
    const mayServe = (upstream: Upstream) => {
      const marks = upstream.status & this.#statusMask & ~STATUS.RAMPING;
      return marks === 0 || this.#mayServe(upstream, marks);
    };
    if (this.#weighted.some(mayServe)) return null;
    throw new PhotonError('no_upstream', 'No upstream is well.');
  }

  /** When one of the upstreams may be well again: whole seconds, at least 1. */
  get retryAfterSeconds(): number {
    const waits = this.#weighted.map((upstream) => this.#waitMs(upstream));
    return Math.max(1, Math.ceil(Math.min(...waits) / 1000));
  }

  #waitMs(upstream: Upstream): number {
    const { breaker, checkIntervalMs } = this.#policy;
    const checkMs = (upstream.status & STATUS.UNHEALTHY) === 0 ? 0 : checkIntervalMs;
    return Math.max(checkMs, breaker?.waitMs(upstream) ?? 0);
  }

  close(): void {
    for (const upstream of this.upstreams) upstream.close();
  }
}
