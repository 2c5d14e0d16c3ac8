import { isOverWithin } from '../base/within.ts';
import type { PreparedMessage } from '../messages/to-control.ts';
import type { FetchedKeySet, PasswordAnswer, TlsMaterial } from '../messages/to-worker.ts';
import { Change } from './change.ts';
import { isDebugged, lookIntoWorker } from './look-into-worker.ts';
import { waitedForProcessorMs } from './thread-waits.ts';
import { type WorkerPlan, WorkerSlot, type WorkerSlotContext } from './worker-slot.ts';
import { WorkerWatch } from './worker-watch.ts';

/** How long the workers could do nothing else, the slowest of them, in milliseconds. */
export interface SwitchTimes {
  /** To make the new configuration ready. */
  readonly prepareMs: number;
  /** To go over to it. */
  readonly commitMs: number;
}

export interface Switch extends SwitchTimes {
  /** Text of users' modules that the workers that live have loaded so far, in bytes: a loaded module stays in memory. */
  readonly moduleBytes: number;
}

/** What the workers are given to work with. */
export interface WorkersContext extends WorkerSlotContext {
  /** A worker that does not move for so long is ended, in milliseconds: `worker_timeout` of the configuration that is served. */
  readonly timeoutMs: () => number;
  /** No worker is made ready for anything any more. */
  readonly stopping: AbortSignal;
  /** A worker is stuck in a thread that only the end of the process ends. */
  readonly onLost: () => void;
}

/** All workers: one per row. They are started together, change what they serve together, and end together. */
export class Workers {
  /** How many there are; it does not change. */
  readonly count: number;
  readonly #context: WorkersContext;
  readonly #watch: WorkerWatch;
  /** Empty before the start. */
  #slots: readonly WorkerSlot[] = [];

  constructor(count: number, context: WorkersContext) {
    this.count = count;
    this.#context = context;
    this.#watch = new WorkerWatch({
      shared: context.shared,
      workers: () => this.#slots.map(({ worker }) => worker),
      timeoutMs: context.timeoutMs,
      log: context.log,
      lookInto: lookIntoWorker,
      waitedMs: waitedForProcessorMs,
      isDebugged,
      onLost: (row) => {
        this.#logNotEnded([row]);
        context.onLost();
      },
    });
    context.stopping.addEventListener('abort', () => {
      for (const slot of this.#slots) void slot.discard();
    });
  }

  /** Resolves when every worker serves. Rejects when one cannot start; the others are then up to `close`. */
  async start(plan: WorkerPlan): Promise<void> {
    this.#slots = Array.from({ length: this.count }, (_, row) => new WorkerSlot(row, plan, this.#context));
    this.#watch.start();
    await Promise.all(this.#slots.map((slot) => slot.start()));
  }

  /**
   * All workers go over to another plan, and all have it ready before the first one goes over. `prepare` calls `plan`. It rejects if a worker cannot
   * serve the plan, dies of it, or does not answer in time.
   */
  change(plan: () => WorkerPlan): Change<PreparedWorkers> {
    const slots = this.#slots;
    return new Change('the workers', {
      prepare: () => PreparedWorkers.prepare(slots, plan(), this.#context.stopping),
      commit: (prepared) => prepared.commit(),
      abandon: (prepared) => prepared.abandon(),
    });
  }

  /**
   * All workers use other certificates and keys. `prepare` calls `tls`; `before` is the material that they use until then. A worker cannot hold two
   * sets, therefore it uses the new set as soon as the change is prepared. `prepare` rejects if a worker cannot, and then all use `before` again.
   */
  tlsChange(tls: () => TlsMaterial, before: TlsMaterial): Change {
    return new Change('the certificates of the workers', {
      prepare: async () => {
        try {
          await this.#useTls(tls());
        } catch (error) {
          await this.#useTls(before);
          throw error;
        }
      },
      commit: () => undefined,
      abandon: () => this.#useTls(before),
    });
  }

  async #useTls(tls: TlsMaterial): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.useTls(tls)));
  }

  useKeySet(keySet: FetchedKeySet): void {
    for (const slot of this.#slots) slot.useKeySet(keySet);
  }

  answerPassword(row: number, answer: PasswordAnswer): void {
    this.#slots[row]?.answerPassword(answer);
  }

  /** No worker is replaced any more. Resolves when all have finished their work and are gone. */
  async drain(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.drain()));
  }

  /** Ends every connection. */
  async cut(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.cut()));
  }

  /** Ends every worker now. A thread that does not end within `worker_timeout` is not waited for. */
  async close(): Promise<void> {
    this.#watch.close();
    const ended = Promise.all(this.#slots.map((slot) => slot.close()));
    if (await isOverWithin(this.#context.timeoutMs(), ended)) return;
    this.#logNotEnded([...this.#slots.keys()].filter((row) => this.#slots[row]?.worker !== null));
  }

  #logNotEnded(workers: readonly number[]): void {
    const reason = 'a thread is in a native call, which nothing but the end of the process ends';
    this.#context.log.error('workers-not-ended', { workers, reason });
  }
}

/** A plan that all workers have ready. */
export class PreparedWorkers {
  readonly #slots: readonly WorkerSlot[];
  readonly #plan: WorkerPlan;
  readonly #answers: readonly PreparedMessage[];
  #commitMs = 0;

  private constructor(slots: readonly WorkerSlot[], plan: WorkerPlan, answers: readonly PreparedMessage[]) {
    this.#slots = slots;
    this.#plan = plan;
    this.#answers = answers;
  }

  /** Resolves when all workers have the plan ready. If it rejects, no worker has. */
  static async prepare(
    slots: readonly WorkerSlot[],
    plan: WorkerPlan,
    stopping: AbortSignal,
  ): Promise<PreparedWorkers> {
    try {
      return new PreparedWorkers(slots, plan, await prepareAll(slots, plan, stopping));
    } catch (error) {
      await discardAll(slots);
      throw error;
    }
  }

  /** How long the change took. `commitMs` is 0 until the commit is over. */
  get took(): Switch {
    return {
      prepareMs: largest(this.#answers.map(({ tookMs }) => tookMs)),
      commitMs: this.#commitMs,
      moduleBytes: this.#answers.reduce((sum, { moduleBytes }) => sum + moduleBytes, 0),
    };
  }

  /** Every worker goes over, and workers that are born from now on begin with the plan. Resolves when the slowest worker has gone over. */
  async commit(): Promise<void> {
    this.#commitMs = largest(await Promise.all(this.#slots.map((slot) => slot.commit(this.#plan))));
  }

  abandon(): Promise<void> {
    return discardAll(this.#slots);
  }
}

/** If a worker dies meanwhile, the worker that replaces it is born with the plan that is served, and makes the new plan ready too. */
async function prepareAll(
  slots: readonly WorkerSlot[],
  plan: WorkerPlan,
  stopping: AbortSignal,
): Promise<readonly PreparedMessage[]> {
  const answers: (PreparedMessage | null)[] = [];
  const behind = () => slots.filter((slot) => !slot.isPreparedFor(plan));
  for (let late = behind(); late.length > 0; late = behind()) {
    answers.push(...(await Promise.all(late.map((slot) => slot.prepare(plan)))));
    stopping.throwIfAborted();
    await Promise.all(late.map((slot) => slot.open(plan)));
    stopping.throwIfAborted();
  }
  return answers.filter((answer) => answer !== null);
}

/** Resolves when the addresses that were bound are free again, for the next change to bind. */
async function discardAll(slots: readonly WorkerSlot[]): Promise<void> {
  await Promise.all(slots.map((slot) => slot.discard()));
}

const largest = (values: readonly number[]): number => Math.max(0, ...values);
