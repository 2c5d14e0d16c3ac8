import { setTimeout as pause } from 'node:timers/promises';
import type { SharedMemory } from '../memory/shared-memory.ts';
import type { AccessLinesMessage, LogMessage, PreparedMessage } from '../messages/to-control.ts';
import type { FetchedKeySet, ListenerPlan, PasswordAnswer, ServingPlan, TlsMaterial } from '../messages/to-worker.ts';
import type { PasswordQuestion } from '../middleware/auth/basic/password-checks.ts';
import { AccessBlocks } from '../telemetry/access-blocks.ts';
import type { ServedAccessLog } from './access-log.ts';
import type { EventLog } from './event-log.ts';
import type { KeySetFetcher } from './key-set-fetcher.ts';
import type { PlannedListener } from './listeners.ts';
import type { PasswordQueue } from './password-queue.ts';
import { RestartBackoff } from './restart-backoff.ts';
import { limitOf, WorkerLife, type WorkerListener, WorkerRefusal } from './worker-life.ts';

/** The configuration that a worker serves, and its listeners. It is the same for all rows. */
export interface WorkerPlan {
  readonly serving: ServingPlan;
  readonly listeners: readonly PlannedListener[];
}

/** What the slots of all workers share. */
export interface WorkerSlotContext {
  readonly shared: SharedMemory;
  readonly log: EventLog;
  /** `current` is null while no requests are logged. */
  readonly accessLog: Pick<ServedAccessLog, 'current'>;
  readonly keySets: Pick<KeySetFetcher, 'current' | 'want'>;
  readonly passwords: Pick<PasswordQueue, 'memory' | 'ask'>;
  /** Forgets what the worker of a row counted. */
  clearRow(row: number): void;
}

/** One row of the shared tables and the worker that owns it. A worker that dies is replaced, until the slot is stopped. */
export class WorkerSlot implements WorkerListener {
  readonly #row: number;
  #plan: WorkerPlan;
  readonly #context: WorkerSlotContext;
  readonly #backoff = new RestartBackoff();
  readonly #stop = new AbortController();
  /** The worker, while it lives. */
  #life: WorkerLife | null = null;
  /** The plan of the change that is under way; null while there is none. */
  #changing: WorkerPlan | null = null;
  /** The worker that has this plan ready. */
  #prepared: WorkerLife | null = null;
  /** This worker has bound listeners that are not open yet. */
  #hasBound = false;

  constructor(row: number, plan: WorkerPlan, context: WorkerSlotContext) {
    this.#row = row;
    this.#plan = plan;
    this.#context = context;
  }

  /** The worker that lives now. */
  get worker(): WorkerLife | null {
    return this.#life;
  }

  /** Resolves when the first worker serves; from then on the slot keeps one alive. Rejects when it cannot start. */
  async start(): Promise<void> {
    const startedMs = performance.now();
    const life = this.#begin();
    await life.ready;
    void this.#keepOneAlive(life, startedMs);
  }

  /** New certificates and keys, for this worker and those that replace it. Resolves when they are in use. Rejects when they cannot be used. */
  async useTls(tls: TlsMaterial): Promise<void> {
    this.#plan = { ...this.#plan, serving: { ...this.#plan.serving, tls } };
    const life = this.#life;
    await life?.useTls(tls, limitOf(this.#plan.serving)).catch((error: unknown) => {
      if (error instanceof WorkerRefusal) throw error;
      replace(life, error);
    });
  }

  /** Gives the worker new keys of an issuer. */
  useKeySet(keySet: FetchedKeySet): void {
    this.#life?.useKeySet(keySet);
  }

  /** Gives the answer to the worker that lives now. A worker that did not ask ignores it. */
  answerPassword(answer: PasswordAnswer): void {
    this.#life?.answerPassword(answer);
  }

  /** No replacement from now on; resolves when the worker has finished its work and is gone. */
  async drain(): Promise<void> {
    this.#stop.abort();
    await this.#life?.drain();
  }

  /** Ends the connections of the worker, if it answers, before the process ends. */
  async cut(): Promise<void> {
    this.#stop.abort();
    await this.#life?.cut();
  }

  /** Ends the worker now, for good. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#life?.cut();
    await this.#life?.end();
  }

  /**
   * Makes a plan ready in the worker that lives now. Rejects when the worker cannot serve it, dies of it, or does not answer in time, and
   * when the change is given up. Resolves with null when there is no worker, or when it dies before it serves: the next worker is born with
   * the plan that is served then.
   */
  async prepare(change: WorkerPlan): Promise<PreparedMessage | null> {
    const life = this.#life;
    this.#changing = change;
    this.#prepared = null;
    if (life === null || !(await life.serves())) return null;
    this.#requireChanging(change);
    const answer = await life.prepare(change.serving, this.#sourcesOf(change.listeners));
    this.#requireChanging(change);
    this.#prepared = life;
    this.#hasBound = answer.bound > 0;
    return answer;
  }

  /** Opens the listeners that were bound for a change. Rejects like `prepare`. */
  async open(change: WorkerPlan): Promise<void> {
    const life = this.#life;
    if (life === null || life !== this.#prepared || !this.#hasBound) return;
    await life.open(limitOf(change.serving));
    this.#requireChanging(change);
    this.#hasBound = false;
  }

  #requireChanging(change: WorkerPlan): void {
    if (this.#changing !== change) throw new Error('the change was given up');
  }

  /** Whether the worker has the plan ready, or there is no worker. A worker may be born at any time before the commit. */
  isPreparedFor(change: WorkerPlan): boolean {
    const isReady = this.#changing === change && this.#life === this.#prepared && !this.#hasBound;
    return this.#life === null || isReady;
  }

  /**
   * Goes over to the plan that was prepared. Resolves with the time in which the worker could do nothing else, in milliseconds. A worker that
   * fails to go over is replaced by one that is born with the plan. Never rejects.
   */
  async commit(change: WorkerPlan): Promise<number> {
    const [life, isPrepared] = [this.#life, this.isPreparedFor(change)];
    this.#plan = change;
    this.#changing = null;
    this.#prepared = null;
    if (life === null) return 0;
    try {
      if (!isPrepared) throw new Error('it was born while the configuration changed');
      return (await life.commit(limitOf(change.serving))).tookMs;
    } catch (error) {
      replace(life, error);
      return 0;
    }
  }

  /** Gives up the change that is under way. Resolves when the worker has closed its new listeners, or does not answer in time. */
  async discard(): Promise<void> {
    const change = this.#changing;
    if (change === null) return;
    this.#changing = null;
    this.#prepared = null;
    // If the worker dies, its listeners are closed too.
    await this.#life?.discard(limitOf(change.serving)).catch(() => undefined);
  }

  #sourcesOf(listeners: readonly PlannedListener[]): readonly ListenerPlan[] {
    return listeners.flatMap(({ key, binding, secure }) => {
      const source = binding.sourceFor(this.#row);
      return source === null ? [] : [{ key, source, secure }];
    });
  }

  #begin(): WorkerLife {
    const { serving, listeners } = this.#plan;
    const { shared, keySets, passwords } = this.#context;
    // Each worker has its own memory: lines of the worker before may still wait to be written.
    const accessMemory = AccessBlocks.allocate();
    const sources = this.#sourcesOf(listeners);
    const life = new WorkerLife(
      {
        type: 'start',
        row: this.#row,
        listeners: sources,
        shared,
        keySets: keySets.current,
        passwordQueue: passwords.memory,
        accessMemory,
        ...serving,
      },
      this,
    );
    this.#life = life;
    void life.gone.then(() => {
      if (this.#life === life) this.#life = null;
    });
    return life;
  }

  async #keepOneAlive(first: WorkerLife, firstStartMs: number): Promise<void> {
    let reason = await first.gone;
    let startedMs = firstStartMs;
    while (!this.#stop.signal.aborted) {
      this.#context.clearRow(this.#row);
      const delayMs = this.#backoff.delayAfterMs(performance.now() - startedMs);
      this.#context.log.error('worker-died', { worker: this.#row, reason, replacedInMs: delayMs });
      await pause(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) {
        return;
      }
      startedMs = performance.now();
      reason = await this.#liveOnce();
    }
  }

  /** Runs one replacement and returns why it ended. */
  async #liveOnce(): Promise<string> {
    try {
      const life = this.#begin();
      life.ready.then(
        () => this.#context.log.info('worker-replaced', { worker: this.#row }),
        () => undefined,
      );
      return await life.gone;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  onLog({ level, event, fields }: LogMessage): void {
    this.#context.log[level](event, { worker: this.#row, ...fields });
  }

  onAccessLines({ block, bytes, lines }: AccessLinesMessage, blocks: AccessBlocks): void {
    const accessLog = this.#context.accessLog.current;
    const release = () => blocks.free(block);
    // A request that began before the log was turned off may end after that.
    if (accessLog === null) release();
    else accessLog.append({ bytes: blocks.bytesOf(block).subarray(0, bytes), lines, release });
  }

  onKeySetWanted(url: string): void {
    this.#context.keySets.want(url);
  }

  onPasswordWanted({ digest, hash, password }: PasswordQuestion): void {
    this.#context.passwords.ask(this.#row, { digest, hash, password });
  }

  onAccessDropped(lines: number): void {
    this.#context.accessLog.current?.drop(lines);
  }
}

/** Ends a worker that has failed, so that it is replaced. For a worker that has died already, the reason of its death is kept. */
function replace(life: WorkerLife, reason: unknown): void {
  void life.end(reason instanceof Error ? reason.message : String(reason));
}
