/** How many requests of one route were over a limit. */
export interface RouteLimitCount {
  refused: number;
  /** Passed all the same, because the limit is only tried out. */
  passedInDryRun: number;
}

/** What the rate limits of one worker have done, by the id of the route. */
export class RateLimitCounts {
  readonly #byRoute = new Map<string, RouteLimitCount>();

  ofRoute(id: string): RouteLimitCount {
    const known = this.#byRoute.get(id);
    if (known !== undefined) return known;
    const fresh = { refused: 0, passedInDryRun: 0 };
    this.#byRoute.set(id, fresh);
    return fresh;
  }
}
