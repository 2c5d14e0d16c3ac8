import type { Compiler } from '../../control/compiler.ts';
import { createEventLog, type EventLog } from '../../control/event-log.ts';
import type { LogLevel } from '../../control/log-level.ts';
import { LogOutlet } from '../../control/log-outlet.ts';
import { describeFailure } from '../describe-failure.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import { RunningGateway } from '../running-gateway.ts';
import { answerSignals, type GatewaySignal } from '../signals.ts';
import { isColoured } from '../terminal.ts';
import { readVersion } from '../version.ts';

/** How long the last lines may take to reach whoever reads standard error. */
const FLUSH_TIMEOUT_MS = 1000;

/** Serves the configuration file until a signal says stop. A start that fails prints why and returns `failure`. */
export async function serve(configFile: string, compiler: Compiler, logLevel: LogLevel): Promise<ExitCode> {
  process.title = 'photon';
  const outlet = new LogOutlet(process.stderr);
  const code = await serveUntilStopped(configFile, compiler, createEventLog(logLevel, outlet), outlet);
  // A line that nobody reads would keep the process alive.
  if (!(await outlet.flush(FLUSH_TIMEOUT_MS))) process.exit(code);
  return code;
}

async function serveUntilStopped(
  configFile: string,
  compiler: Compiler,
  log: EventLog,
  outlet: LogOutlet,
): Promise<ExitCode> {
  const signals = new GatewaySignals(log);
  let gateway: RunningGateway | null = null;
  try {
    gateway = await RunningGateway.start(configFile, compiler, log, signals.stop);
    log.info('ready', { version: readVersion(), config: configFile });
    signals.use(gateway);
  } catch (error) {
    if (!signals.stop.aborted) {
      outlet.write(`${describeFailure(error, configFile, { color: isColoured(process.stderr) })}\n`);
      return EXIT_CODE.failure;
    }
  }
  log.info('stopping', { signal: await signals.stopped });
  await gateway?.drain();
  return EXIT_CODE.ok;
}

/**
 * What signals do to a gateway.
 *
 *   starting --ready--> serving --stop--> draining --stop--> ended at once
 *       \--------------stop-------------> start is called off --stop--> ended at once
 *
 * A reload or the log files that are asked for during the start come when it is done.
 */
class GatewaySignals {
  readonly #log: EventLog;
  readonly #stop = new AbortController();
  readonly #stopped = Promise.withResolvers<GatewaySignal>();
  /** Null during the start. */
  #gateway: RunningGateway | null = null;
  #reloadDue = false;
  #reopenDue = false;

  constructor(log: EventLog) {
    this.#log = log;
    answerSignals((signal) => this.#answer(signal));
  }

  /** Is aborted by the first signal that says stop. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Resolves with that signal. */
  get stopped(): Promise<GatewaySignal> {
    return this.#stopped.promise;
  }

  /** This one serves. */
  use(gateway: RunningGateway): void {
    this.#gateway = gateway;
    if (this.#reloadDue) void gateway.reload('signal');
    if (this.#reopenDue) gateway.reopenLogs();
  }

  #answer(signal: GatewaySignal): void {
    switch (signal) {
      case 'SIGTERM':
      case 'SIGINT':
      case 'SIGQUIT':
        if (this.stop.aborted) this.#endAtOnce(signal);
        this.#stopped.resolve(signal);
        this.#stop.abort();
        break;
      case 'SIGHUP':
        this.#reloadDue = true;
        // What drains takes no other configuration.
        if (!this.stop.aborted) void this.#gateway?.reload('signal');
        break;
      case 'SIGUSR1':
      case 'SIGUSR2':
        this.#reopenDue = true;
        this.#gateway?.reopenLogs();
        break;
    }
  }

  #endAtOnce(signal: GatewaySignal): never {
    this.#log.warn('stopped-at-once', { signal });
    this.#gateway?.leave();
    process.exit(EXIT_CODE.failure);
  }
}
