import { ConfigError, type Diagnostic } from '../config/diagnostic.ts';
import type { Compiler, LoadedCompiled } from './compiler.ts';
import { type ConfigChanges, findChanges, isEquivalent } from './config-changes.ts';
import type { EventLog } from './event-log.ts';
import type { FileWatch } from './file-watch.ts';
import { logWarnings } from './log-warnings.ts';
import type { Supervisor } from './supervisor.ts';
import type { Switch, SwitchTimes } from './workers.ts';

/** Who asked for it. */
export type ReloadTrigger = 'file' | 'signal' | 'command';

export type ReloadResult =
  | ({ readonly outcome: 'reloaded'; readonly tookMs: number; readonly changes: ConfigChanges } & Switch)
  | { readonly outcome: 'unchanged'; readonly tookMs: number }
  | { readonly outcome: 'failed'; readonly reason: string; readonly diagnostics: readonly Diagnostic[] };

interface ReloaderParts {
  readonly supervisor: Supervisor;
  readonly compiler: Compiler;
  readonly log: EventLog;
  /** Learns what the configuration was read from, each time that it was. */
  readonly watch: FileWatch;
}

/** How many names of a kind an event lists. */
const MAX_NAMES = 10;

/**
 * Reads the configuration again and has it served, one reload after the other. What is asked for while one is under way is done by
 * one more after it, which finds the newest file.
 */
export class Reloader {
  readonly #file: string;
  readonly #supervisor: Supervisor;
  readonly #compiler: Compiler;
  readonly #log: EventLog;
  readonly #watch: FileWatch;
  #running: Promise<ReloadResult> | null = null;
  #waiting: Promise<ReloadResult> | null = null;

  constructor(file: string, parts: ReloaderParts) {
    this.#file = file;
    this.#supervisor = parts.supervisor;
    this.#compiler = parts.compiler;
    this.#log = parts.log;
    this.#watch = parts.watch;
  }

  /** Never rejects. */
  reload(trigger: ReloadTrigger): Promise<ReloadResult> {
    if (this.#running === null) return this.#run(trigger);
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = null;
      return this.#run(trigger);
    });
    return this.#waiting;
  }

  #run(trigger: ReloadTrigger): Promise<ReloadResult> {
    const running = this.#reload(trigger).finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #reload(trigger: ReloadTrigger): Promise<ReloadResult> {
    const startedMs = performance.now();
    try {
      const before = this.#watch.states;
      const loaded = await this.#compiler.compile(this.#file);
      this.#watch.use(loaded.sources, before);
      return await this.#apply(loaded, trigger, startedMs);
    } catch (error) {
      return this.#refuse(error, trigger);
    } finally {
      this.#compiler.startAhead();
    }
  }

  async #apply(loaded: LoadedCompiled, trigger: ReloadTrigger, startedMs: number): Promise<ReloadResult> {
    const { compiled: before } = this.#supervisor;
    if (isEquivalent(before, loaded.compiled)) {
      const tookMs = Math.round(performance.now() - startedMs);
      this.#log.info('reload-unchanged', { trigger, tookMs });
      return { outcome: 'unchanged', tookMs };
    }
    logWarnings(loaded, this.#log);
    const changes = findChanges(before, loaded.compiled);
    const { moduleBytes, ...exact } = await this.#supervisor.apply(loaded.compiled);
    const times = rounded(exact);
    const tookMs = Math.round(performance.now() - startedMs);
    const modules = moduleBytes === 0 ? {} : { moduleBytes };
    this.#log.info('reloaded', { trigger, ...inShort(changes), ...modules, ...times, tookMs });
    return { outcome: 'reloaded', tookMs, changes, moduleBytes, ...times };
  }

  #refuse(error: unknown, trigger: ReloadTrigger): ReloadResult {
    const diagnostics = error instanceof ConfigError ? error.diagnostics : [];
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const reason = errors[0]?.message ?? (error instanceof Error ? error.message : String(error));
    const at = errors.slice(0, MAX_NAMES).map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);
    this.#log.error('reload-failed', { trigger, reason, errors: errors.length, at });
    return { outcome: 'failed', reason, diagnostics };
  }
}

/** To a hundredth of a millisecond. */
function rounded({ prepareMs, commitMs }: SwitchTimes): SwitchTimes {
  return { prepareMs: Math.round(prepareMs * 100) / 100, commitMs: Math.round(commitMs * 100) / 100 };
}

/** The changes for the log: counts, and some names. */
function inShort({ routes, upstreams, upstreamsKept, blocks, needRestart }: ConfigChanges): object {
  const shorten = (names: readonly string[]) =>
    names.length <= MAX_NAMES ? names : [...names.slice(0, MAX_NAMES), `and ${names.length - MAX_NAMES} more`];
  const difference = ({ added, removed, changed }: typeof routes) => ({
    ...(added.length === 0 ? {} : { added: shorten(added) }),
    ...(removed.length === 0 ? {} : { removed: shorten(removed) }),
    ...(changed.length === 0 ? {} : { changed: shorten(changed) }),
  });
  return {
    routes: difference(routes),
    upstreams: difference(upstreams),
    upstreamsKept,
    blocks,
    ...(needRestart.length === 0 ? {} : { needRestart }),
  };
}
