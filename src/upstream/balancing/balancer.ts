/** A server to choose among. */
export interface Candidate {
  /** Names it among the others, the same after a restart and on another machine. */
  readonly key: string;
  /** Share of the traffic, a whole number; 0 gets none. */
  readonly weight: number;
  /** Exchanges under way there, over all workers. */
  readonly inFlight: number;
}

/** What a choice may depend on of the request. */
export interface BalancedRequest {
  readonly clientAddress: string;
  /** As `normalisePath` gives it. */
  readonly path: string;
  /** The value of a field that came, by its name in lower case; several field lines joined by `, `. */
  headerValue(lowerCaseName: string): string | undefined;
  /** The same of a field as it goes upstream. */
  keyValue(lowerCaseName: string): string | undefined;
}

/** May be chosen now: it is well, below its limit, and was not tried before. Asked on every pick, of as few candidates as possible. */
export type Eligible<C> = (candidate: C) => boolean;

/** An algorithm: who takes the next request. Weights count in every one of them. */
export interface Balancer<C extends Candidate> {
  /** An eligible candidate with a weight above 0, or null when there is none. */
  pick(request: BalancedRequest, eligible: Eligible<C>): C | null;
}
