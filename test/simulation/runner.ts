import { Worker } from 'node:worker_threads';
import type { Finding } from './records.ts';
import type { Scenario } from './scenario/scenario.ts';

/** What is asked of the thread that simulates. */
export type RunnerTask =
  | { readonly task: 'seeds'; readonly from: number; readonly count: number; readonly transport: Scenario['transport'] }
  | { readonly task: 'scenario'; readonly scenario: Scenario };

/** What came of a task. */
export interface RunnerResult {
  readonly exchanges: number;
  readonly certain: number;
  readonly steps: number;
  /** A number that stands for all traces. */
  readonly traceHash: number;
  /** The first seed with findings, and those of it: the task ends there. */
  readonly seed: number | null;
  readonly findings: readonly Finding[];
  readonly outcomes: ReadonlyMap<string, number>;
  readonly coverage: ReadonlyMap<string, number>;
}

/** So long without a step the gateway goes round and round. */
const SPIN_MS = 5000;

/** What a run leaves dies all together: a fifth of the time goes into collecting it where the space for what is young is small. */
const YOUNG_MB = 96;

/** Places in the memory that the thread writes to. */
export const STEPS = 0;
export const SEED = 1;

/** Runs scenarios in a thread of its own, which it watches: one that makes no step is ended, and that is a finding. */
export class Runner {
  readonly #notes = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  #thread: Worker | null = null;

  async run(task: RunnerTask): Promise<RunnerResult> {
    const thread = this.#thread ?? this.#begin();
    const { promise, resolve, reject } = Promise.withResolvers<RunnerResult | null>();
    let before = -1;
    const watch = setInterval(() => {
      const now = Atomics.load(this.#notes, STEPS);
      // Before its first step the thread is loading.
      if (now === before && now !== 0) resolve(null);
      before = now;
    }, SPIN_MS);
    thread.once('message', resolve).once('error', reject);
    thread.postMessage(task);
    try {
      return (await promise) ?? (await this.#endSpin());
    } finally {
      clearInterval(watch);
      thread.off('message', resolve).off('error', reject);
    }
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
    this.#thread = null;
  }

  #begin(): Worker {
    const thread = new Worker(new URL('./runner-thread.ts', import.meta.url), {
      workerData: this.#notes,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#thread = thread;
    return thread;
  }

  async #endSpin(): Promise<RunnerResult> {
    await this.close();
    const findings = [{ kind: 'spin', text: `no step for ${SPIN_MS} ms` }];
    return {
      ...{ exchanges: 0, certain: 0, steps: 0, traceHash: 0, findings, outcomes: new Map(), coverage: new Map() },
      seed: Atomics.load(this.#notes, SEED),
    };
  }
}
