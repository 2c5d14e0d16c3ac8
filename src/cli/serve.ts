import { wantsColor } from '../config/format-diagnostics.ts';
import { createEventLog, type EventLog, type LogLevel } from '../control/event-log.ts';
import { loadStartableConfig, logWarnings } from '../control/load-config.ts';
import { Supervisor } from '../control/supervisor.ts';
import { describeFailure } from './describe-failure.ts';
import { EXIT_CODE, type ExitCode } from './exit-code.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import { readVersion } from './version.ts';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

interface RunningGateway {
  readonly supervisor: Supervisor;
  readonly pidFile: string | null;
}

/** Serves the configuration file until a signal says stop. A start that fails prints why and returns `failure`. */
export async function serve(configFile: string, logLevel: LogLevel): Promise<ExitCode> {
  process.title = 'photon';
  const log = createEventLog(logLevel);
  // From here on a signal means an orderly stop, even one that comes while we start.
  const firstSignal = nextSignal();
  try {
    const gateway = await start(configFile, log);
    log.info('stopping', { signal: await firstSignal });
    return await stop(gateway, log);
  } catch (error) {
    const color = wantsColor(process.env, process.stderr.isTTY);
    process.stderr.write(`${describeFailure(error, configFile, { color })}\n`);
    return EXIT_CODE.failure;
  }
}

async function start(configFile: string, log: EventLog): Promise<RunningGateway> {
  const loaded = await loadStartableConfig(configFile);
  logWarnings(loaded, log);
  const supervisor = new Supervisor(loaded.config, log);
  await supervisor.start();
  const { pidFile } = loaded.config.server;
  try {
    if (pidFile !== null) {
      writePidFile(pidFile);
    }
  } catch (error) {
    await supervisor.close();
    throw error;
  }
  log.info('ready', { version: readVersion(), config: configFile });
  return { supervisor, pidFile };
}

/** Drains; a second signal ends the process at once. */
async function stop({ supervisor, pidFile }: RunningGateway, log: EventLog): Promise<ExitCode> {
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
