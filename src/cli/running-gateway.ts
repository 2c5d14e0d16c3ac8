import { resolve } from 'node:path';
import type { Config, RouteConfig } from '../config/config.ts';
import { ControlSocket, prepareControlSocket } from '../control/admin/control-socket.ts';
import type { Compiler } from '../control/compiler.ts';
import type { EventLog } from '../control/event-log.ts';
import { statesNow } from '../control/file-state.ts';
import { FileWatch } from '../control/file-watch.ts';
import { logWarnings } from '../control/log-warnings.ts';
import { Reloader, type ReloadResult, type ReloadTrigger } from '../control/reloader.ts';
import { controlSocketPath, ForeignDirectoryError } from '../control/runtime-directory.ts';
import { Supervisor } from '../control/supervisor.ts';
import type { Answers } from '../explain/answers.ts';
import { readSharedText } from '../memory/shared-texts.ts';
import type { CompiledConfig } from '../pipeline/compiled-config.ts';
import { removePidFile, writePidFile } from './pid-file.ts';

/**
 * When the process for the first reload is started: not while the first clients come, or other programs start with the machine, since it
 * keeps a processor busy for half a second. A reload that comes earlier starts its own.
 */
const START_AHEAD_MS = 10_000;

export interface GatewayContext {
  readonly compiler: Compiler;
  readonly log: EventLog;
  /** Calls off the start. */
  readonly stop: AbortSignal;
  /** A worker is stuck and cannot be ended, but with the process. */
  readonly onLost: () => void;
}

/** A gateway that serves a configuration file: it reloads the file when that changes, and hears commands. */
export class RunningGateway {
  readonly #log: EventLog;
  readonly #supervisor: Supervisor;
  readonly #compiler: Compiler;
  readonly #reloader: Reloader;
  readonly #watch: FileWatch;
  readonly #pidFile: string | null;
  #sockets: readonly ControlSocket[] = [];
  /** Of the configuration that serves; made with the first question. */
  #answers: { readonly compiled: CompiledConfig; readonly answers: Answers } | null = null;

  private constructor(file: string, supervisor: Supervisor, compiler: Compiler, log: EventLog) {
    this.#log = log;
    this.#supervisor = supervisor;
    this.#compiler = compiler;
    this.#watch = new FileWatch(() => void this.reload('file'));
    this.#reloader = new Reloader(file, { supervisor, compiler, log, watch: this.#watch });
    this.#pidFile = supervisor.compiled.config.server.pidFile;
  }

  /**
   * Resolves when it serves. Rejects, with nothing left open, the compiler included, with what keeps it from starting, or when `stop` is
   * aborted before it serves.
   */
  static async start(file: string, context: GatewayContext): Promise<RunningGateway> {
    const { compiler, stop } = context;
    const endCompiler = () => compiler.close();
    stop.addEventListener('abort', endCompiler);
    try {
      return await RunningGateway.#startWith(file, context);
    } catch (error) {
      compiler.close();
      throw error;
    } finally {
      stop.removeEventListener('abort', endCompiler);
    }
  }

  static async #startWith(file: string, { compiler, log, stop, onLost }: GatewayContext): Promise<RunningGateway> {
    stop.throwIfAborted();
    const before = statesNow([resolve(file)]);
    const loaded = await compiler.compile(file);
    logWarnings(loaded, log);
    const supervisor = new Supervisor(loaded.compiled, log, onLost);
    const gateway = new RunningGateway(file, supervisor, compiler, log);
    const endSupervisor = () => void supervisor.close();
    stop.addEventListener('abort', endSupervisor);
    try {
      // Before it serves: what changes from here on is seen.
      gateway.#watch.use(loaded.sources, before);
      // Before it listens: whoever connects is served.
      gateway.#prepareSocket(loaded.compiled.config.server.upgradeSock, file);
      await supervisor.start();
      if (gateway.#pidFile !== null) writePidFile(gateway.#pidFile);
      await gateway.#openSocket(loaded.compiled.config.server.upgradeSock, file);
      stop.throwIfAborted();
    } catch (error) {
      await gateway.#close();
      gateway.leave();
      throw error;
    } finally {
      stop.removeEventListener('abort', endSupervisor);
    }
    setTimeout(() => compiler.startAhead(), START_AHEAD_MS).unref();
    return gateway;
  }

  /** Throws an Error when the socket cannot be opened and that keeps the gateway from starting. */
  #prepareSocket(wanted: string | null, file: string): void {
    const path = wanted ?? controlSocketPath(file);
    try {
      prepareControlSocket(path);
    } catch (error) {
      refuseWithoutSocket(error, wanted);
    }
  }

  async #openSocket(wanted: string | null, file: string): Promise<void> {
    const path = wanted ?? controlSocketPath(file);
    try {
      this.#sockets = [await ControlSocket.open(path, (request) => this.#execute(request))];
    } catch (error) {
      refuseWithoutSocket(error, wanted);
      this.#log.warn('no-control-socket', { path, reason: (error as Error).message });
    }
    const ofFile = controlSocketPath(file);
    if (path !== ofFile) await this.#openSecondSocket(ofFile);
  }

  /** For commands whose file does not say any more where the first one is: they know it by the name of the file, if there is a place for it. */
  async #openSecondSocket(path: string): Promise<void> {
    try {
      this.#sockets = [...this.#sockets, await ControlSocket.open(path, (request) => this.#execute(request))];
    } catch (error) {
      this.#log.info('no-second-control-socket', { path, reason: (error as Error).message });
    }
  }

  async #execute(request: unknown): Promise<unknown> {
    const { command, question } = request as { readonly command?: unknown; readonly question?: unknown };
    if (command === 'reload') return this.reload('command');
    if (command === 'ask') return (await this.#answersNow()).answer(question);
    throw new Error(`Cannot do that: want "reload" or "ask", got ${JSON.stringify(command)}`);
  }

  async #answersNow(): Promise<Answers> {
    // Nobody may ever ask, and they take longer to load than all the rest.
    const { Answers } = await import('../explain/answers.ts');
    const { compiled } = this.#supervisor;
    if (this.#answers?.compiled !== compiled) this.#answers = { compiled, answers: new Answers(decompile(compiled)) };
    return this.#answers.answers;
  }

  /** Reads the configuration file again. Never rejects: what is wrong is in the result, and in the log. */
  reload(trigger: ReloadTrigger): Promise<ReloadResult> {
    return this.#reloader.reload(trigger);
  }

  reopenLogs(): void {
    this.#supervisor.reopenLogs();
  }

  /** Finishes what runs within `shutdown_timeout`, then closes. */
  async drain(): Promise<void> {
    this.#stopListening();
    await this.#supervisor.drain();
    this.leave();
  }

  /** Ends every connection, so that no reply that is cut looks whole; half a second at most. */
  cut(): Promise<void> {
    return this.#supervisor.cut();
  }

  async #close(): Promise<void> {
    this.#stopListening();
    await this.#supervisor.close();
  }

  #stopListening(): void {
    this.#watch.close();
    for (const socket of this.#sockets) socket.close();
    this.#compiler.close();
  }

  /** Takes away the files that say that it runs. */
  leave(): void {
    if (this.#pidFile !== null) removePidFile(this.#pidFile);
    for (const socket of this.#sockets) socket.close();
  }
}

/**
 * Where the configuration names no path, the gateway serves without the socket too: there may be no directory to write to. Throws an Error for
 * a path that it names, and for a directory that another user may have made.
 */
function refuseWithoutSocket(error: unknown, wanted: string | null): void {
  if (error instanceof ForeignDirectoryError) throw error;
  if (wanted === null) return;
  throw new Error(`Cannot open server.upgrade_sock ${wanted}: ${(error as Error).message}`, { cause: error });
}

function decompile({ config, routes }: CompiledConfig): Config {
  const all = Array.from(routes.ends, (_end, number) => JSON.parse(readSharedText(routes, number)) as RouteConfig);
  return { ...config, routes: all };
}
