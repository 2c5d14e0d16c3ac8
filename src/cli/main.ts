import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { isLogLevel, LOG_LEVELS, type LogLevel } from '../control/log-level.ts';
import type { CheckOptions } from './commands/check.ts';
import type { ExplainOptions } from './commands/explain.ts';
import type { RoutesOptions } from './commands/routes.ts';
import { EXIT_CODE, type ExitCode } from './exit-code.ts';
import { releaseSignals } from './signals.ts';
import { readVersion } from './version.ts';

interface GlobalOptions {
  readonly config: string;
  readonly logLevel: LogLevel;
}

function parseLogLevel(text: string): LogLevel {
  if (!isLogLevel(text)) {
    throw new InvalidArgumentError(`Want one of ${LOG_LEVELS.join(', ')}.`);
  }
  return text;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

const formatOption = () => new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text');

const liveOption = () => new Option('--live', 'ask the running gateway instead of the file').default(false);

async function serveFile({ config, logLevel }: GlobalOptions): Promise<ExitCode> {
  const { Compiler } = await import('../control/compiler.ts');
  // A process of its own that loads its modules while we load ours.
  const compiler = new Compiler();
  const { serve } = await import('./commands/serve.ts');
  return serve(config, compiler, logLevel);
}

/**
 * The command line; what a command returns goes to `ends`. A command is loaded when it is wanted: some take long, and a gateway that
 * starts needs none of the others.
 */
function createProgram(ends: (code: ExitCode) => void): Command {
  const program = new Command('photon');
  const globals = () => program.opts<GlobalOptions>();
  program
    .description('An API gateway: reverse proxy, load balancer and policy point, run by one configuration file.')
    .usage('[options] [command]')
    .option('-c, --config <file>', 'configuration file (YAML, JSON, TOML or TypeScript)', 'config.yaml')
    .addOption(
      new Option('-l, --log-level <level>', LOG_LEVELS.join(', '))
        .env('LOG_LEVEL')
        .default('info')
        .argParser(parseLogLevel),
    )
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .version(readVersion(), '-V, --version', 'print the version')
    .allowExcessArguments(false)
    .exitOverride()
    .action(async () => ends(await serveFile(globals())))
    .hook('preSubcommand', releaseSignals);
  program
    .command('check')
    .description('say what is wrong with the configuration, without starting')
    .option('--strict', 'exit with 2 when there are warnings', false)
    .addOption(formatOption())
    .action(async (options: CheckOptions) => {
      const { check } = await import('./commands/check.ts');
      ends(await check(globals().config, options, process.stdout));
    });
  program
    .command('explain')
    .description('say what happens to a request, and why')
    .argument('<method>', 'such as GET')
    .argument('<url>', 'http://host/path, https://host/path or /path')
    .option('-H, --header <line>', '"Name: value"; may be given several times', collect, [])
    .option('--from <ip>', 'the address that connects', '127.0.0.1')
    .addOption(liveOption())
    .addOption(formatOption())
    .action(
      async (method: string, url: string, options: ExplainOptions & { header: readonly string[]; from: string }) => {
        const { explain } = await import('./commands/explain.ts');
        const words = { method, url, headers: options.header, from: options.from };
        ends(await explain(globals().config, words, options, process.stdout));
      },
    );
  program
    .command('routes')
    .description('list the routes in the order in which they are tried')
    .addOption(liveOption())
    .addOption(formatOption())
    .action(async (options: RoutesOptions) => {
      const { routes } = await import('./commands/routes.ts');
      ends(await routes(globals().config, options, process.stdout));
    });
  program
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .action(async () => {
      const { schema } = await import('./commands/schema.ts');
      ends(await schema());
    });
  program
    .command('reload')
    .description('have the running gateway read its configuration again')
    .action(async () => {
      const { reload } = await import('./commands/reload.ts');
      ends(await reload(globals().config));
    });
  return program;
}

/** Runs the command line `args` (without node and script) to its end and returns the exit code. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT_CODE.ok;
  const program = createProgram((ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage;
    }
    throw error;
  }
}
