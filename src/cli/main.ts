import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { isLogLevel, LOG_LEVELS, type LogLevel } from '../control/event-log.ts';
import { EXIT_CODE, type ExitCode } from './exit-code.ts';
import { serve } from './serve.ts';
import { readVersion } from './version.ts';

interface Options {
  readonly config: string;
  readonly logLevel: LogLevel;
}

function parseLogLevel(text: string): LogLevel {
  if (!isLogLevel(text)) {
    throw new InvalidArgumentError(`Want one of ${LOG_LEVELS.join(', ')}.`);
  }
  return text;
}

function createProgram(): Command {
  const program = new Command('photon');
  program
    .description('An API gateway: reverse proxy, load balancer and policy point, run by one configuration file.')
    .option('-c, --config <file>', 'configuration file (YAML, JSON or TOML)', 'config.yaml')
    .addOption(
      new Option('-l, --log-level <level>', LOG_LEVELS.join(', '))
        .env('LOG_LEVEL')
        .default('info')
        .argParser(parseLogLevel),
    )
    .helpOption('-h, --help', 'print this help')
    .version(readVersion(), '-V, --version', 'print the version')
    .allowExcessArguments(false)
    .exitOverride();
  return program;
}

/** Runs the command line `args` (without node and script) to its end and returns the exit code. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const program = createProgram();
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage;
    }
    throw error;
  }
  const { config, logLevel } = program.opts<Options>();
  return serve(config, logLevel);
}
