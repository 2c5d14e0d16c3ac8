/** A server to choose among. */
export interface Candidate {
  /** Identifies the server among the others, also after a restart and on another machine. */
  readonly key: string;
  /** Share of the traffic, a whole number; 0 gets none. */
  readonly weight: number;
  /** Exchanges under way there, over all workers. */
  readonly inFlight: number;
}

/** The parts of a request that a choice may depend on. */
export interface BalancedRequest {
  readonly clientAddress: string;
  /** As `normalisePath` gives it. */
  readonly path: string;
  /** The value of a field that came, by its name in lower case; several field lines joined by `, `. */
  headerValue(lowerCaseName: string): string | undefined;
  /** The value of a field as it goes upstream. */
  keyValue(lowerCaseName: string): string | undefined;
}

/** May be chosen now: it is well, below its limit, and was not tried before. Asked on every pick, of as few candidates as possible. */
export type Eligible<C> = (candidate: C) => boolean;

/** An algorithm that chooses the server of each request. Weights count in every algorithm. */
export interface Balancer<C extends Candidate> {
  /** An eligible candidate with a weight above 0, or null when there is none. */
  pick(request: BalancedRequest, eligible: Eligible<C>): C | null;
}
