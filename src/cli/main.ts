import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { isLogLevel, LOG_LEVELS, type LogLevel } from '../control/event-log.ts';
import { EXIT_CODE, type ExitCode } from './exit-code.ts';
import { printSchema } from './schema.ts';
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

/** What the command line asks for. */
interface Parsed {
  command: (options: Options) => ExitCode | Promise<ExitCode>;
}

function createProgram(parsed: Parsed): Command {
  const program = new Command('photon');
  program
    .description('An API gateway: reverse proxy, load balancer and policy point, run by one configuration file.')
    .option('-c, --config <file>', 'configuration file (YAML, JSON, TOML or TypeScript)', 'config.yaml')
    .addOption(
      new Option('-l, --log-level <level>', LOG_LEVELS.join(', '))
        .env('LOG_LEVEL')
        .default('info')
        .argParser(parseLogLevel),
    )
    .helpOption('-h, --help', 'print this help')
    .version(readVersion(), '-V, --version', 'print the version')
    .allowExcessArguments(false)
    .exitOverride()
    // An action of its own, without which commander would want a command.
    .action(() => {});
  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .helpOption('-h, --help', 'print this help')
    .action(() => {
      parsed.command = printSchema;
    });
  return program;
}

/** Runs the command line `args` (without node and script) to its end and returns the exit code. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const parsed: Parsed = { command: ({ config, logLevel }) => serve(config, logLevel) };
  const program = createProgram(parsed);
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage;
    }
    throw error;
  }
  return parsed.command(program.opts<Options>());
}
