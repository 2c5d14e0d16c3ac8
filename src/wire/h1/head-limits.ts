/** What a head may cost at most. */
export interface HeadLimits {
  /** Bytes of the whole head: start line, field lines and the blank line. */
  readonly maxHeadBytes: number;
  /** Bytes of the request-target. */
  readonly maxTargetBytes: number;
}
