import type { Network } from './net/network.ts';
import type { HookLog, Records } from './records.ts';
import type { ControlScript, Scenario } from './scenario/scenario.ts';

/** All that a run leaves for the oracle. */
export interface Run {
  readonly scenario: Scenario;
  readonly records: Records;
  readonly network: Network;
  readonly hookLog: HookLog;
  readonly logLines: readonly { readonly event: string; readonly fields: object; readonly atMs: number }[];
  readonly accessLines: readonly string[];
  /** What the control thread did, and when. */
  readonly controls: readonly { readonly script: ControlScript; readonly atMs: number }[];
  /** What the gateway has in hand when all is over, by name. */
  readonly holdings: Readonly<Record<string, number>>;
  readonly traceHash: number;
  readonly steps: number;
}
