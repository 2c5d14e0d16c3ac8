/** What a decision of a rate limit costs: alone, and two threads at once, on keys of their own and on one key. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { monotonicClock } from '../../src/base/clock.ts';
import { createTokenBuckets, type TokenBucketMemory, TokenBuckets } from '../../src/memory/token-buckets.ts';

const TURNS = 2_000_000;
const KEYS = 1000;
/** Long enough for the compiler to have done its work. */
const WARM_UP_TURNS = 500_000;

interface Task {
  readonly memory: TokenBucketMemory;
  /** The keys of a thread begin with it. */
  readonly prefix: string;
  readonly keys: number;
  /** What is measured begins when all threads have come to it. */
  readonly gate: Int32Array;
}

/** Milliseconds of CPU for `TURNS` decisions, the hash of the key included: on a busy machine the clock tells nothing. */
function measure({ memory, prefix, keys, gate }: Task): number {
  const buckets = new TokenBuckets(memory);
  const limit = buckets.limitOf('bench', { perSecond: 10_000_000, burst: 1_000_000_000 });
  const texts = Array.from({ length: keys }, (_none, index) => `${prefix}${index >> 8}.${index & 255}`);
  const decide = (turns: number) => {
    const nowMs = monotonicClock.nowMs();
    for (let turn = 0; turn < turns; turn++) {
      limit.hash.hash(texts[turn % keys] as string);
      buckets.take(limit, limit.hash.low, limit.hash.high, nowMs + turn / 10_000);
    }
  };
  decide(WARM_UP_TURNS);
  Atomics.sub(gate, 0, 1);
  while (Atomics.load(gate, 0) > 0);
  const started = process.threadCpuUsage();
  decide(TURNS);
  const { user, system } = process.threadCpuUsage(started);
  return (user + system) / 1000;
}

async function run(name: string, prefixes: readonly string[], keys: number): Promise<void> {
  const memory = createTokenBuckets(100_000, monotonicClock.nowMs());
  const gate = new Int32Array(new SharedArrayBuffer(4));
  gate[0] = prefixes.length;
  const times = await Promise.all(
    prefixes.map(async (prefix) => {
      const task: Task = { memory, prefix, keys, gate };
      const worker = new Worker(new URL(import.meta.url), { workerData: task });
      const [took] = (await once(worker, 'message')) as [number];
      return took;
    }),
  );
  const perSecond = (prefixes.length * TURNS * 1000) / Math.max(...times);
  const each = Math.max(...times) / TURNS;
  console.log(`${name.padEnd(44)} ${(perSecond / 1e6).toFixed(1)} million/s  ${(each * 1e6).toFixed(0)} ns each`);
}

if (isMainThread) {
  await run('one thread, 1000 addresses', ['192.168.'], KEYS);
  await run('one thread, one address', ['192.168.'], 1);
  await run('two threads, 1000 addresses each', ['192.168.', '172.16.'], KEYS);
  await run('two threads, the same 1000 addresses', ['192.168.', '192.168.'], KEYS);
  await run('two threads, one address', ['192.168.', '192.168.'], 1);
} else {
  // Sound: only `run` starts this file as a thread.
  parentPort?.postMessage(measure(workerData as Task));
}
