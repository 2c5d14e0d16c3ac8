/**
 * Tens of thousands of clients that leave without a good-bye, and what a gateway holds afterwards:
 *
 *   npm run soak -- [--connections 20000] [--at-once 100] [--transport onread|plain] [--tls] [--seed N]
 *
 * It is warmed up by rounds of half as many connections until its resident memory rises no higher, then come those that count. Exit
 * code 1 when it holds more than before, answered a polite client wrongly, or its memory did not settle, or is higher than in the
 * warm-up: what its workers have in use after a collection by more than a twentieth, or the resident memory by more than a tenth.
 */
import { parseArgs } from 'node:util';
import { hasSettled, highest, type Memory, type SoakResult, soak } from './soak.ts';

const GROWTH_MAX: Memory = { resident: 1.1, live: 1.05 };
const WARM_UP_ROUNDS_MAX = 8;

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '20000' },
    'at-once': { type: 'string', default: '100' },
    transport: { type: 'string' },
    tls: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);

function memoryFaultsOf({ warmMemory, afterMemory }: SoakResult): string[] {
  const high: Memory = { resident: highest(warmMemory, 'resident'), live: highest(warmMemory, 'live') };
  const grown = (['resident', 'live'] as const).filter((kind) => afterMemory[kind] > high[kind] * GROWTH_MAX[kind]);
  return [
    ...(hasSettled(warmMemory) ? [] : ['resident memory has not settled in the warm-up']),
    ...grown.map((kind) => `${kind} memory: ${mib(high[kind])} MiB in the warm-up, ${mib(afterMemory[kind])} after`),
  ];
}

function faultsOf(result: SoakResult): string[] {
  const { before, after, wrongReplies, badEvents } = result;
  const grown = Object.entries(before).filter(([name, count]) => after[name as keyof typeof after] !== count);
  return [
    ...grown.map(([name, count]) => `${name}: ${count} before, ${after[name as keyof typeof after]} after`),
    ...memoryFaultsOf(result),
    ...wrongReplies.slice(0, 5).map((reply) => `a polite client got: ${reply}`),
    ...badEvents.map((event) => `logged: ${event}`),
  ];
}

function printMemory({ warmMemory, afterMemory }: SoakResult): void {
  const rounds = [...warmMemory, afterMemory];
  console.log('MiB after a collection: each round of the warm-up, and at the end');
  console.log(`resident: ${rounds.map(({ resident }) => mib(resident)).join(', ')}`);
  console.log(`in use by the workers: ${rounds.map(({ live }) => mib(live)).join(', ')}`);
}

const ends: (() => unknown)[] = [];
const startedMs = performance.now();
const connections = Number(values.connections);
try {
  const result = await soak(
    { after: (end) => ends.push(end) },
    {
      connections,
      warmUp: { connections: Math.ceil(connections / 2), roundsMax: WARM_UP_ROUNDS_MAX },
      atOnce: Number(values['at-once']),
      secure: values.tls,
      manners: 'any',
      transport: values.transport,
      seed: Number(values.seed),
    },
  );
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  console.log(
    `${connections} connections, transport ${result.transport}${values.tls ? ', TLS' : ''}, seed ${values.seed}`,
  );
  console.table({ before: result.before, 'after the warm-up': result.warm, after: result.after });
  printMemory(result);
  console.log(
    `${result.upstreamRequests} requests upstream, ${result.politeRequests} of a polite client, ${seconds} s`,
  );
  const faults = faultsOf(result);
  for (const fault of faults) console.error(`soak: ${fault}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  for (const end of ends) await end();
  process.exit();
}
