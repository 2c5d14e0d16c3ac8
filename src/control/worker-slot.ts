import { setTimeout as pause } from 'node:timers/promises';
import { clearWorkerRow } from '../memory/shared-memory.ts';
import type { AccessLinesMessage, LogMessage } from '../messages/to-control.ts';
import type { StartMessage, TlsMaterial } from '../messages/to-worker.ts';
import type { Binding } from '../net/binding.ts';
import { AccessBlocks } from '../telemetry/access-blocks.ts';
import type { AccessLog } from './access-log.ts';
import type { EventLog } from './event-log.ts';
import { RestartBackoff } from './restart-backoff.ts';
import { WorkerLife, type WorkerListener } from './worker-life.ts';

/** What a worker serves, the same for all rows. */
export type WorkerPlan = Omit<StartMessage, 'type' | 'row' | 'listeners' | 'accessMemory'> & {
  readonly bindings: readonly PlannedBinding[];
};

/** An address that is held, and what is spoken there. */
export interface PlannedBinding {
  readonly binding: Binding;
  readonly secure: boolean;
}

/** One row of the shared tables and the worker that owns it. A worker that dies is replaced, until the slot is stopped. */
export class WorkerSlot implements WorkerListener {
  readonly #row: number;
  #plan: WorkerPlan;
  readonly #log: EventLog;
  readonly #accessLog: AccessLog | null;
  readonly #backoff = new RestartBackoff();
  readonly #stop = new AbortController();
  #life: WorkerLife | null = null;

  /** `accessLog` null: the workers log no requests. */
  constructor(row: number, plan: WorkerPlan, log: EventLog, accessLog: AccessLog | null) {
    this.#row = row;
    this.#plan = plan;
    this.#log = log;
    this.#accessLog = accessLog;
  }

  /** Resolves when the first worker serves; from then on the slot keeps one alive. Rejects when it cannot start. */
  async start(): Promise<void> {
    const startedMs = performance.now();
    const life = this.#begin();
    await life.ready;
    void this.#keepOneAlive(life, startedMs);
  }

  /** New certificates and keys, for this worker and those that replace it. Resolves when they are in use. */
  async useTls(tls: TlsMaterial): Promise<void> {
    this.#plan = { ...this.#plan, tls };
    await this.#life?.useTls(tls);
  }

  /** No replacement from now on; resolves when the worker has finished its work and is gone. */
  async drain(): Promise<void> {
    this.#stop.abort();
    await this.#life?.drain();
  }

  /** Ends the worker now, for good. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#life?.end();
  }

  #begin(): WorkerLife {
    const { bindings, ...plan } = this.#plan;
    const listeners = bindings.flatMap(({ binding, secure }) => {
      const source = binding.sourceFor(this.#row);
      return source === null ? [] : [{ source, secure }];
    });
    // Made anew for each life: lines of the one before may still wait to be written.
    const accessMemory = AccessBlocks.allocate();
    this.#life = new WorkerLife({ type: 'start', row: this.#row, listeners, accessMemory, ...plan }, this);
    return this.#life;
  }

  async #keepOneAlive(first: WorkerLife, firstStartMs: number): Promise<void> {
    let reason = await first.gone;
    let startedMs = firstStartMs;
    while (!this.#stop.signal.aborted) {
      clearWorkerRow(this.#plan.shared, this.#row);
      const delayMs = this.#backoff.delayAfterMs(performance.now() - startedMs);
      this.#log.error('worker-died', { worker: this.#row, reason, replacedInMs: delayMs });
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
        () => this.#log.info('worker-replaced', { worker: this.#row }),
        () => undefined,
      );
      return await life.gone;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  onLog({ level, event, fields }: LogMessage): void {
    this.#log[level](event, { worker: this.#row, ...fields });
  }

  onAccessLines({ block, bytes, lines }: AccessLinesMessage, blocks: AccessBlocks): void {
    this.#accessLog?.append({
      bytes: blocks.bytesOf(block).subarray(0, bytes),
      lines,
      release: () => blocks.free(block),
    });
  }

  onAccessDropped(lines: number): void {
    this.#accessLog?.drop(lines);
  }
}
