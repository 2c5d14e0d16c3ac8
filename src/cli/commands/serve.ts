import type { Compiler } from '../../control/compiler.ts';
import { createEventLog, type EventLog } from '../../control/event-log.ts';
import type { LogLevel } from '../../control/log-level.ts';
import { LogOutlet } from '../../control/log-outlet.ts';
import { describeFailure } from '../describe-failure.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import { RunningGateway } from '../running-gateway.ts';
import { isColoured } from '../terminal.ts';
import { readVersion } from '../version.ts';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

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
  // From here on a signal means an orderly stop, even one that comes while we start.
  const firstSignal = nextSignal();
  try {
    const gateway = await start(configFile, compiler, log);
    log.info('stopping', { signal: await firstSignal });
    return await stop(gateway, log);
  } catch (error) {
    outlet.write(`${describeFailure(error, configFile, { color: isColoured(process.stderr) })}\n`);
    return EXIT_CODE.failure;
  }
}

async function start(configFile: string, compiler: Compiler, log: EventLog): Promise<RunningGateway> {
  // One that comes while we start must not end the process.
  let hungUp = false;
  let gateway: RunningGateway | null = null;
  process.on('SIGHUP', () => {
    hungUp = true;
    void gateway?.reload('signal');
  });
  // Node keeps SIGUSR1, which nginx uses, for its debugger.
  process.on('SIGUSR2', () => gateway?.reopenLogs());
  gateway = await RunningGateway.start(configFile, compiler, log);
  log.info('ready', { version: readVersion(), config: configFile });
  if (hungUp) void gateway.reload('signal');
  return gateway;
}

/** Drains; a second signal ends the process at once. */
async function stop(gateway: RunningGateway, log: EventLog): Promise<ExitCode> {
  void nextSignal().then((signal) => {
    log.warn('stopped-at-once', { signal });
    gateway.leave();
    process.exit(EXIT_CODE.failure);
  });
  await gateway.drain();
  return EXIT_CODE.ok;
}

function nextSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  for (const name of STOP_SIGNALS) {
    process.on(name, onSignal);
  }
  return promise;

  function onSignal(signal: NodeJS.Signals): void {
    for (const name of STOP_SIGNALS) {
      process.off(name, onSignal);
    }
    resolve(signal);
  }
}
