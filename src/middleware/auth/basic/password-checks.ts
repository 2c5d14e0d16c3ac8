/** Whether a password is that of a user, as far as his hash tells. */
export interface PasswordQuestion {
  /** Stands for user, hash and password together; nobody learns anything from it who does not know them. */
  readonly digest: string;
  readonly hash: string;
  readonly password: string;
}

/** So long at most a password counts as right without another look. */
export const MAX_KEPT_MS = 300_000;

/** Checks passwords, which takes long, somewhere else. */
export interface PasswordChecks {
  /** The answer to this question was yes, less than `MAX_KEPT_MS` ago. */
  isKnown(digest: string): boolean;
  /**
   * Rejects with a PhotonError, or throws it, when there is no answer to be had: there are too many questions, or who answers them
   * broke down. The same question asked again before it is answered costs nothing.
   */
  check(question: PasswordQuestion): Promise<boolean>;
}
