/**
 * `npm run bench`: Photon and its peers side by side on this machine, by CPU time per request. See `--list` and docs/benchmarks.md.
 */
import { constants } from 'node:os';
import type { Case } from './bench.ts';
import { cases } from './cases/catalog.ts';
import { runMicro } from './micro.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { Processes } from './processes.ts';
import { formatColumns, formatJson, formatText } from './report.ts';
import { DEFAULT_SECONDS, runCase } from './run.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = EXIT_FAILED;
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const [name, micro] = options?.names ?? [];
  if (options?.list) {
    process.stdout.write(`${formatList()}\n`);
    return 0;
  }
  if (name === 'micro') return runMicro(micro);
  const chosen = cases.find((known) => known.name === name);
  if (options !== null && chosen !== undefined && options.names.length === 1) return runAndPrint(chosen, options);
  if (name !== undefined && chosen === undefined) process.stderr.write(`Unknown case "${name}": see --list.\n`);
  process.stderr.write(usage);
  return EXIT_USAGE;
}

function readOptions(args: readonly string[]): Options | null {
  try {
    return parseOptions(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return null;
  }
}

async function runAndPrint(chosen: Case, options: Options): Promise<number> {
  const processes = new Processes();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      void processes.close().finally(() => process.exit(128 + constants.signals[signal]));
    });
  }
  try {
    const run = await runCase(chosen, options, processes);
    process.stdout.write(options.json ? formatJson(chosen, run) : formatText(chosen, run));
    return 0;
  } finally {
    await processes.close();
  }
}

function formatList(): string {
  const rows = [
    ['case', 'rounds', 'seconds', 'peers', 'what is measured'],
    ...cases.map(({ name, defaultRounds, defaultSeconds = DEFAULT_SECONDS, defaultPeers, about }) => [
      name,
      `${defaultRounds}`,
      `${defaultSeconds}`,
      defaultPeers.join(',') || '-',
      about,
    ]),
    ['micro', '-', '-', '-', 'the micro-benchmarks'],
  ];
  return formatColumns(rows);
}
