/** The thread that simulates: see `runner.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Counts, countCoverage } from './coverage.ts';
import { judge } from './oracle/oracle.ts';
import { type RunnerResult, type RunnerTask, SEED, STEPS } from './runner.ts';
import { drawScenario } from './scenario/draw-scenario.ts';
import type { Scenario } from './scenario/scenario.ts';
import { simulate } from './simulation.ts';

const notes = workerData as Int32Array;
let stepsBefore = 0;

// A run begins in a timer: inside of a message's event its ticks would not run.
parentPort?.on('message', (task: RunnerTask) => {
  setTimeout(
    () => parentPort?.postMessage(task.task === 'seeds' ? runSeeds(task) : runScenarios([[0, task.scenario]])),
    0,
  );
});

function runSeeds({ from, count, transport }: Extract<RunnerTask, { task: 'seeds' }>): RunnerResult {
  return runScenarios(seeds(from, count, transport));
}

function* seeds(from: number, count: number, transport: Scenario['transport']): Iterable<readonly [number, Scenario]> {
  for (let seed = from; seed < from + count; seed++) yield [seed, drawScenario(seed, transport)];
}

/** Ends with the first one that has findings. */
function runScenarios(scenarios: Iterable<readonly [number, Scenario]>): RunnerResult {
  const result = { exchanges: 0, certain: 0, steps: 0, traceHash: 0 };
  const outcomes: Counts = new Map();
  const coverage: Counts = new Map();
  for (const [seed, scenario] of scenarios) {
    Atomics.store(notes, SEED, seed);
    const run = simulate(scenario, (steps) => Atomics.store(notes, STEPS, (stepsBefore + steps) | 0));
    const judgement = judge(run);
    stepsBefore += run.steps;
    result.exchanges += judgement.exchanges;
    result.certain += judgement.certain;
    result.steps += run.steps;
    result.traceHash = (Math.imul(result.traceHash, 31) + run.traceHash) | 0;
    for (const [outcome, count] of judgement.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    countCoverage(run, coverage);
    const { findings } = run.records;
    if (findings.length > 0) return { ...result, seed, findings, outcomes, coverage };
  }
  return { ...result, seed: null, findings: [], outcomes, coverage };
}
