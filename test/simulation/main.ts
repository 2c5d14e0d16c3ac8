/**
 * npm run simulate -- [--minutes N] [--seed N] [--runs N] [--transport onread|plain] [--case FILE] [--no-shrink]
 * npm run simulate -- --mutants [--count N] [--seed N] [--exchanges N] [--only N,N,...]
 *
 * Plays seeds until the time is over, or so many runs are. Each finding is made smaller and written to a file that `--case` plays again.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EVENTS, IMPOSSIBLE, STATES } from './coverage.ts';
import { describeScenario } from './describe.ts';
import { huntMutants } from './mutants.ts';
import { Runner, type RunnerResult } from './runner.ts';
import { drawScenario } from './scenario/draw-scenario.ts';
import type { Scenario } from './scenario/scenario.ts';
import { BLOCK, SeedSupply } from './seed-supply.ts';
import { shrink } from './shrink.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    runs: { type: 'string' },
    transport: { type: 'string' },
    case: { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
    /** Ends with the first finding, or when so many exchanges had none: for mutants. */
    hunt: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    count: { type: 'string' },
    exchanges: { type: 'string' },
    only: { type: 'string' },
  },
});

const MAX_FINDINGS = 5;
const TRANSPORTS = ['onread', 'plain'] as const;

const runner = new Runner();
const counts = {
  exchanges: 0,
  certain: 0,
  runs: 0,
  findings: 0,
  outcomes: new Map<string, number>(),
  coverage: new Map<string, number>(),
};

process.exitCode = await main();
await runner.close();

async function main(): Promise<number> {
  if (options.case !== undefined) return playCase(options.case);
  if (!options.mutants) return playSeeds();
  const { count = '100', seed = '1', exchanges = '200000' } = options;
  const only = options.only?.split(',').map(Number) ?? null;
  return huntMutants({ count: Number(count), seed: Number(seed), exchanges: Number(exchanges), only });
}

async function playCase(file: string): Promise<number> {
  const scenario = JSON.parse(readFileSync(file, 'utf8')) as Scenario;
  console.log(describeScenario(scenario));
  const { findings, traceHash } = await runner.run({ task: 'scenario', scenario });
  for (const { kind, text } of findings) console.log(`${kind}: ${text}`);
  console.log(`trace ${traceHash >>> 0}: ${findings.length} findings`);
  return findings.length === 0 ? 0 : 1;
}

/** Seeds in blocks, for as many threads as there are processors; a hunt has one, so that it ends at the same place each time. */
async function playSeeds(): Promise<number> {
  const first = options.seed === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(options.seed);
  const beganMs = performance.now();
  const isHunt = options.hunt !== undefined;
  const endMs = options.minutes === undefined ? Number.POSITIVE_INFINITY : beganMs + Number(options.minutes) * 60_000;
  const isBounded = isHunt || options.minutes !== undefined;
  const runs = Number(options.runs ?? (isBounded ? Number.POSITIVE_INFINITY : 1000));
  const exchanges = Number(options.hunt ?? Number.POSITIVE_INFINITY);
  const findings = isHunt ? 1 : MAX_FINDINGS;
  const isEnough = () => performance.now() >= endMs || counts.exchanges >= exchanges || counts.findings >= findings;
  const supply = new SeedSupply(first, runs, isEnough);
  const runners = [runner, ...Array.from({ length: isHunt ? 0 : availableParallelism() - 1 }, () => new Runner())];
  await Promise.all(runners.map((each) => playBlocks(each, supply)));
  await Promise.all(runners.map((each) => each.close()));
  const seconds = (performance.now() - beganMs) / 1000;
  const rate = (counts.exchanges / seconds).toFixed(0);
  console.log(`${counts.runs} runs, ${counts.exchanges} exchanges, ${rate} a second; first seed ${first}`);
  console.log(`${((100 * counts.certain) / Math.max(1, counts.exchanges)).toFixed(1)} % had one allowed outcome`);
  if (!isHunt) printCoverage();
  return counts.findings === 0 ? 0 : 1;
}

async function playBlocks(runner: Runner, supply: SeedSupply): Promise<void> {
  for (let block = supply.take(); block !== null; block = supply.take()) {
    const transport = transportOf(block.from);
    const end = block.from + block.count;
    for (let from = block.from; from < end && !supply.isStopped; ) {
      const result = await runner.run({ task: 'seeds', from, count: end - from, transport });
      const last = result.seed ?? end - 1;
      add(result, last - from + 1);
      from = last + 1;
      if (result.seed === null) continue;
      counts.findings++;
      await report(runner, result, transport);
    }
  }
}

/** Blocks of seeds take turns with the transports, unless one is asked for. */
function transportOf(seed: number): Scenario['transport'] {
  const { transport } = options;
  if (transport === 'onread' || transport === 'plain') return transport;
  return TRANSPORTS[Math.floor(seed / BLOCK) % 2] as Scenario['transport'];
}

function add({ exchanges, certain, outcomes, coverage }: RunnerResult, runs: number): void {
  counts.exchanges += exchanges;
  counts.certain += certain;
  counts.runs += runs;
  for (const [name, count] of outcomes) counts.outcomes.set(name, (counts.outcomes.get(name) ?? 0) + count);
  for (const [name, count] of coverage) counts.coverage.set(name, (counts.coverage.get(name) ?? 0) + count);
}

async function report(
  runner: Runner,
  { seed, findings }: RunnerResult,
  transport: Scenario['transport'],
): Promise<void> {
  console.log(`\nseed ${seed} on the ${transport} transport, after ${counts.exchanges} exchanges:`);
  for (const { kind, text } of findings.slice(0, 5)) console.log(`  ${kind}: ${text}`);
  const [first] = findings;
  if (first === undefined || seed === null || options['no-shrink'] || options.hunt !== undefined) return;
  const scenario = drawScenario(seed, transport);
  const smallest = await shrink(scenario, first.kind, runner, () => {});
  const folder = join(tmpdir(), 'photon-simulation');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${seed}-${transport}.json`);
  writeFileSync(file, `${JSON.stringify(smallest)}\n`);
  console.log(describeScenario(smallest));
  const { findings: left } = await runner.run({ task: 'scenario', scenario: smallest });
  for (const { kind, text } of left.slice(0, 5)) console.log(`  ${kind}: ${text}`);
  console.log(`npm run simulate -- --case ${file}`);
}

function printCoverage(): void {
  console.log(
    [...counts.outcomes]
      .sort(([, one], [, other]) => other - one)
      .map((each) => each.join(' '))
      .join(', '),
  );
  const pairs = STATES.flatMap((state) => EVENTS.map((event) => `${state} x ${event}`)).filter(
    (pair) => !IMPOSSIBLE.has(pair),
  );
  const counted = pairs.map((pair) => ({ pair, count: counts.coverage.get(pair) ?? 0 }));
  console.log(
    `${counted.filter(({ count }) => count > 0).length} of ${pairs.length} pairs of state and event were met`,
  );
  const rare = counted.filter(({ count }) => count < 100).sort((one, other) => one.count - other.count);
  if (rare.length > 0)
    console.log(`fewer than 100 times: ${rare.map(({ pair, count }) => `${pair} (${count})`).join(', ')}`);
}
