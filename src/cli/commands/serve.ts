import type { Compiler } from '../../control/compiler.ts';
import { createEventLog, type EventLog } from '../../control/event-log.ts';
import type { LogLevel } from '../../control/log-level.ts';
import { LogOutlet } from '../../control/log-outlet.ts';
import { describeFailure } from '../describe-failure.ts';
import { endProcess } from '../end-process.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import { RunningGateway } from '../running-gateway.ts';
import { answerSignals, type GatewaySignal } from '../signals.ts';
import { isColoured } from '../terminal.ts';
import { readVersion } from '../version.ts';

/** How long the last lines may take to reach whoever reads standard error. */
const FLUSH_TIMEOUT_MS = 1000;

/** How long the process may take to end once all is closed. */
const END_TIMEOUT_MS = 1000;

/** Serves the configuration file until a signal says stop. A start that fails prints why and returns `failure`. */
export async function serve(configFile: string, compiler: Compiler, logLevel: LogLevel): Promise<ExitCode> {
  process.title = 'photon';
  const outlet = new LogOutlet(process.stderr);
  const code = await new GatewayProgram(configFile, createEventLog(logLevel, outlet), outlet).run(compiler);
  // A line that nobody reads would keep the process alive, and so would a thread that does not end.
  if (!(await outlet.flush(FLUSH_TIMEOUT_MS))) endProcess(code);
  setTimeout(endProcess, END_TIMEOUT_MS, code).unref();
  return code;
}

/**
 * A gateway and the signals that the process gets.
 *
 *   starting --ready--> serving --stop--> draining --stop--> ended at once
 *       \--------------stop-------------> start is called off --stop--> ended at once
 *
 * A reload or the log files that are asked for during the start come when it is done.
 */
class GatewayProgram {
  readonly #configFile: string;
  readonly #log: EventLog;
  readonly #outlet: LogOutlet;
  /** Is aborted by the first signal that says stop, whose name the promise has. */
  readonly #stop = new AbortController();
  readonly #stopped = Promise.withResolvers<GatewaySignal>();
  /** Null during the start. */
  #gateway: RunningGateway | null = null;
  #reloadDue = false;
  #reopenDue = false;

  constructor(configFile: string, log: EventLog, outlet: LogOutlet) {
    this.#configFile = configFile;
    this.#log = log;
    this.#outlet = outlet;
    answerSignals((signal) => this.#answer(signal));
  }

  async run(compiler: Compiler): Promise<ExitCode> {
    try {
      await this.#start(compiler);
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.#outlet.write(`${describeFailure(error, this.#configFile, { color: isColoured(process.stderr) })}\n`);
        return EXIT_CODE.failure;
      }
    }
    this.#log.info('stopping', { signal: await this.#stopped.promise });
    await this.#gateway?.drain();
    return EXIT_CODE.ok;
  }

  async #start(compiler: Compiler): Promise<void> {
    const gateway = await RunningGateway.start(this.#configFile, {
      compiler,
      log: this.#log,
      stop: this.#stop.signal,
      onLost: () => void this.#outlet.flush(FLUSH_TIMEOUT_MS).then(() => this.#endAtOnce()),
    });
    this.#log.info('ready', { version: readVersion(), config: this.#configFile });
    this.#gateway = gateway;
    if (this.#reloadDue) void gateway.reload('signal');
    if (this.#reopenDue) gateway.reopenLogs();
  }

  #answer(signal: GatewaySignal): void {
    switch (signal) {
      case 'SIGTERM':
      case 'SIGINT':
      case 'SIGQUIT':
        if (this.#stop.signal.aborted) {
          this.#log.warn('stopped-at-once', { signal });
          void this.#cutAndEnd();
        }
        this.#stopped.resolve(signal);
        this.#stop.abort();
        break;
      case 'SIGHUP':
        this.#reloadDue = true;
        // What drains takes no other configuration.
        if (!this.#stop.signal.aborted) void this.#gateway?.reload('signal');
        break;
      case 'SIGUSR1':
      case 'SIGUSR2':
        this.#reopenDue = true;
        this.#gateway?.reopenLogs();
        break;
    }
  }

  async #cutAndEnd(): Promise<void> {
    await this.#gateway?.cut();
    this.#endAtOnce();
  }

  #endAtOnce(): never {
    this.#gateway?.leave();
    endProcess(EXIT_CODE.failure);
  }
}
