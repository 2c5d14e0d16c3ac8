import { PhotonError } from '../base/errors.ts';
import type { RoundRobin } from './balancing/round-robin.ts';
import type { Upstream } from './upstream.ts';

/** A named group of upstreams, and who among them takes the next request. */
export class Backend {
  readonly name: string;
  readonly upstreams: readonly Upstream[];
  readonly #balancer: RoundRobin<Upstream>;

  constructor(name: string, upstreams: readonly Upstream[], balancer: RoundRobin<Upstream>) {
    this.name = name;
    this.upstreams = upstreams;
    this.#balancer = balancer;
  }

  /** Chooses an upstream. Throws PhotonError upstreams_full when none can take another connection. */
  pick(): Upstream {
    const upstream = this.#balancer.pick();
    if (upstream === null) throw new PhotonError('upstreams_full', 'No upstream can take another connection.');
    return upstream;
  }

  close(): void {
    for (const upstream of this.upstreams) upstream.close();
  }
}
