/** How the program ends, for scripts and service managers. */
export const EXIT_CODE = {
  ok: 0,
  /** The configuration is wrong, an address cannot be had, or a second signal cut the drain short. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  /** `check --strict` found warnings and no errors. */
  warnings: 2,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];
