import { flatText } from '../base/latin1.ts';

/** What a limit has to say of itself. */
export interface SpeakingLimit {
  /** It is only tried out, and says nothing. */
  readonly dryRun: boolean;
  /** As it stands in RateLimit-Policy. */
  readonly policy: string;
  /** As it stands in RateLimit. */
  readonly state: string;
}

/**
 * The field lines about some limits.
 *
 * draft-ietf-httpapi-ratelimit-headers-11 (May 2026, not final): both fields are Lists of Strings with parameters, which are Integers
 * (RFC 9651 3.1, 3.3).
 *
 *   3.1  RateLimit-Policy: "ip";q=100;w=2     `q` requests in `w` seconds, `w` at least 1
 *   4.1  RateLimit: "ip";r=93;t=1             `r` are left; whoever sends no more than that within `t` seconds passes. Here `t` is when the bucket is
 *                                             full again, or, with `r=0`, when it has one token
 *
 * Section 6 would have Retry-After not before the end of `t`. It agrees where a limit refuses; a limit beside it that has some left may
 * take longer to be full, which nobody has to wait for, and clients go by Retry-After (section 7). `pk` is left out: it would tell what
 * is counted by.
 */
export class LimitLines {
  readonly #limits: readonly SpeakingLimit[];
  readonly #policies: string;
  /** What was said last, and of which states: clients far from a limit, or over it, are told the same again and again. */
  #lastStates = '';
  #last = '';

  constructor(limits: readonly SpeakingLimit[]) {
    this.#limits = limits.filter(({ dryRun }) => !dryRun);
    this.#policies = this.#limits.map(({ policy }) => policy).join(', ');
  }

  /** Each with its CRLF; empty where all limits are only tried out. */
  get current(): string {
    const states = this.#states();
    if (states !== this.#lastStates) {
      this.#lastStates = states;
      this.#last = flatText(`RateLimit-Policy: ${this.#policies}\r\nRateLimit: ${states}\r\n`);
    }
    return this.#last;
  }

  #states(): string {
    let states = '';
    for (const { state } of this.#limits) states = states === '' ? state : `${states}, ${state}`;
    return states;
  }
}
