import { loadConfigFile } from '../config/load.ts';
import { createEventLog, type EventLog, type LogLevel } from '../control/event-log.ts';
import { Supervisor } from '../control/supervisor.ts';
import { EXIT_CODE, type ExitCode } from './exit-code.ts';
import { removePidFile, writePidFile } from './pid-file.ts';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

interface RunningGateway {
  readonly supervisor: Supervisor;
  readonly pidFile: string | null;
}

/** Serves the configuration file until a signal says stop. A start that fails prints why and returns `failure`. */
export async function serve(configFile: string, logLevel: LogLevel): Promise<ExitCode> {
  process.title = 'photon';
  const log = createEventLog(logLevel);
  try {
    const gateway = await start(configFile, log);
    return await untilStopped(gateway, log);
  } catch (error) {
    process.stderr.write(`photon: ${error instanceof Error ? error.message : error}\n`);
    return EXIT_CODE.failure;
  }
}

async function start(configFile: string, log: EventLog): Promise<RunningGateway> {
  const { config, warnings } = await loadConfigFile(configFile);
  for (const warning of warnings) {
    log.warn('config-warning', { ...warning });
  }
  const supervisor = new Supervisor(config, log);
  await supervisor.start();
  const { pidFile } = config.server;
  try {
    if (pidFile !== null) {
      writePidFile(pidFile);
    }
  } catch (error) {
    await supervisor.close();
    throw error;
  }
  return { supervisor, pidFile };
}

/** The first SIGTERM or SIGINT drains, the second ends the process at once. */
async function untilStopped({ supervisor, pidFile }: RunningGateway, log: EventLog): Promise<ExitCode> {
  log.info('stopping', { signal: await nextSignal() });
  void nextSignal().then((signal) => {
    log.warn('stopped-at-once', { signal });
    leave(pidFile);
    process.exit(EXIT_CODE.failure);
  });
  await supervisor.drain();
  leave(pidFile);
  return EXIT_CODE.ok;
}

function leave(pidFile: string | null): void {
  if (pidFile !== null) {
    removePidFile(pidFile);
  }
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    function onSignal(signal: NodeJS.Signals): void {
      for (const name of STOP_SIGNALS) {
        process.off(name, onSignal);
      }
      resolve(signal);
    }
    for (const name of STOP_SIGNALS) {
      process.on(name, onSignal);
    }
  });
}
