/**
 * A thread that races for probes, claims and releases them, or hammers a breaker with everything that can happen, and reports what it saw.
 */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { PHASE, phaseOf } from '../../src/memory/breaker-word.ts';
import type { SharedMemory } from '../../src/memory/shared-memory.ts';
import { Random } from '../support/random.ts';
import { BreakerView } from './breaker-scene.ts';

export interface BreakerTask {
  readonly shared: SharedMemory;
  readonly row: number;
  readonly kind: 'race' | 'exclude' | 'hammer';
  readonly rounds: number;
  /** 0: the round that may begin, or how many have a probe just now; 1: how many threads have ended the round. */
  readonly barrier: Int32Array;
}

export interface BreakerReport {
  /** The rounds in which it got the probe. */
  readonly won: readonly number[];
  readonly events: readonly (string | undefined)[];
}

// Sound: this file runs only as the worker of the test beside it, which sends a BreakerTask.
const { shared, row, kind, rounds, barrier } = workerData as BreakerTask;
const time = { eventMs: 0 };
const view = new BreakerView(shared, row, { openTimeoutMs: kind === 'hammer' ? 0 : 500, failureThreshold: 3 }, time);
const won: number[] = [];

/** In each round, at the same moment of the breaker's time, everybody asks for the probe. */
function race(round: number): void {
  while (Atomics.load(barrier, 0) < round) Atomics.wait(barrier, 0, round - 1, 1000);
  time.eventMs = round * 1000 + 500;
  if (view.mayProbe && view.claim() > 0) won.push(round);
  Atomics.add(barrier, 1, 1);
  Atomics.notify(barrier, 1);
}

/** One thread alone has the probe until it releases it. */
function exclude(round: number): void {
  const claim = view.claim();
  if (claim <= 0) return;
  won.push(round);
  assert.equal(Atomics.add(barrier, 0, 1), 0, 'two probes at a time');
  Atomics.sub(barrier, 0, 1);
  view.abandoned(claim);
}

function hammer(random: Random): void {
  time.eventMs++;
  const claim = view.mayProbe && phaseOf(view.breaker.word) !== PHASE.CLOSED ? Math.max(view.claim(), 0) : 0;
  const what = random.below(10);
  if (claim > 0 && what < 8) view.answered(claim);
  if (what < 7) view.succeeded(claim);
  else if (what < 9) view.failed(claim);
  else view.abandoned(claim);
  expectPossible(view.breaker.word);
}

/** What is written in the word has to be one of the states of the diagram. */
function expectPossible(word: number): void {
  const [phase, successes] = [phaseOf(word), (word >>> 5) & 0x3ff];
  assert.ok(phase <= PHASE.ANSWERED, `phase ${phase}`);
  assert.ok(phase > PHASE.OPEN ? successes < 3 : successes === 0, `${successes} successes in phase ${phase}`);
  assert.ok(phase < PHASE.PROBING || (word >>> 25 > 0 && ((word >>> 15) & 0x3ff) < 8), 'a probe of nobody');
}

const random = new Random(row);
for (let round = 1; round <= rounds; round++) {
  if (kind === 'race') race(round);
  else if (kind === 'exclude') exclude(round);
  else hammer(random);
}
const report: BreakerReport = { won, events: view.events };
parentPort?.postMessage(report);
