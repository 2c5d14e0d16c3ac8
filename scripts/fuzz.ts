/**
 * Attacks the decoders until something is found or nobody wants to know any more:
 *
 *   npm run fuzz                         until Ctrl-C
 *   npm run fuzz -- --minutes 30         for so long
 *   npm run fuzz -- --runs 1000000       so many inputs, all targets together
 *   npm run fuzz -- replies              only this target
 *
 * PHOTON_FUZZ_SEED fixes the inputs. What is found is kept in test/fuzz/found, where `npm test` replays it. Exit code: 1 when
 * something was found, 2 for wrong arguments.
 */
import { parseArgs } from 'node:util';
import { keep } from '../test/fuzz/found.ts';
import { attack, type Target } from '../test/fuzz/target.ts';
import { TARGETS } from '../test/fuzz/targets.ts';
import { SEED } from '../test/support/seed.ts';

const RUNS_AT_ONCE = 5000;
const REPORT_EVERY_MS = 10_000;
const EXIT_FOUND = 1;
const EXIT_USAGE = 2;

interface Plan {
  readonly targets: readonly Target<unknown>[];
  readonly endMs: number;
  readonly runs: number;
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true;
  });
}

function readPlan(): Plan {
  const { values, positionals } = parseArgs({
    options: { minutes: { type: 'string' }, runs: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => TARGETS.every((target) => target.name !== name));
  if (unknown.length > 0) {
    throw new Error(`Cannot attack "${unknown.join('", "')}": want ${TARGETS.map(({ name }) => name).join(', ')}.`);
  }
  return {
    targets: TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    endMs: performance.now() + readLimit('minutes', values.minutes) * 60_000,
    runs: readLimit('runs', values.runs),
  };
}

function readLimit(name: string, text: string | undefined): number {
  const limit = text === undefined ? Number.POSITIVE_INFINITY : Number(text);
  if (!(limit > 0)) throw new Error(`Cannot read --${name}: want a number above 0, got "${text}".`);
  return limit;
}

/** Attacks one target after the other, with a seed of its own each time; returns the exit code. */
async function fuzz({ targets, endMs, runs }: Plan): Promise<number> {
  let seed = SEED;
  const startMs = performance.now();
  let reportMs = startMs + REPORT_EVERY_MS;
  let done = 0;
  console.log(`PHOTON_FUZZ_SEED=${seed}: ${targets.map(({ name }) => name).join(', ')}`);
  for (let turn = 0; done < runs && performance.now() < endMs && !interrupted; turn++) {
    const target = targets[turn % targets.length] as Target<unknown>;
    const outcome = await attack(target, seed, Math.min(RUNS_AT_ONCE, runs - done));
    done += outcome.runs;
    if (outcome.finding !== null) {
      console.log(
        `${target.name}, seed ${seed}: ${outcome.finding.why}\n\nkept as ${keep(target.name, outcome.finding)}`,
      );
      return EXIT_FOUND;
    }
    if ((turn + 1) % targets.length === 0) seed = (seed + 1) % 2 ** 31;
    if (performance.now() < reportMs) continue;
    console.log(report(done, startMs));
    reportMs = performance.now() + REPORT_EVERY_MS;
  }
  console.log(`${report(done, startMs)}, nothing found`);
  return 0;
}

function report(runs: number, startMs: number): string {
  const seconds = (performance.now() - startMs) / 1000;
  return `${runs} runs in ${seconds.toFixed(0)} s, ${(runs / seconds).toFixed(0)} a second`;
}

async function main(): Promise<number> {
  let plan: Plan;
  try {
    plan = readPlan();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return EXIT_USAGE;
  }
  return fuzz(plan);
}

process.exitCode = await main();
