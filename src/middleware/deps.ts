/** What a middleware is made with, besides its options. */
export interface MiddlewareDeps {
  /** Milliseconds of the monotonic clock, the same in all threads. */
  nowMs(): number;
  readonly log: { warn(event: string, fields?: object): void; error(event: string, fields?: object): void };
}
