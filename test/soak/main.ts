/**
 * Tens of thousands of clients that leave without a good-bye, and what a gateway holds afterwards:
 *
 *   npm run soak -- [--connections 20000] [--at-once 100] [--transport onread|plain] [--tls] [--seed N]
 *
 * Exit code 1 when it holds more than before, answered a polite client wrongly, or its memory has grown by more than a tenth.
 */
import { parseArgs } from 'node:util';
import { type SoakResult, soak } from './soak.ts';

const RSS_GROWTH_MAX = 1.1;

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

function faultsOf({ before, after, warmRssBytes, afterRssBytes, wrongReplies, badEvents }: SoakResult): string[] {
  const grown = Object.entries(before).filter(([name, count]) => after[name as keyof typeof after] !== count);
  return [
    ...grown.map(([name, count]) => `${name}: ${count} before, ${after[name as keyof typeof after]} after`),
    ...(afterRssBytes > warmRssBytes * RSS_GROWTH_MAX ? ['resident memory has grown by more than a tenth'] : []),
    ...wrongReplies.slice(0, 5).map((reply) => `a polite client got: ${reply}`),
    ...badEvents.map((event) => `logged: ${event}`),
  ];
}

const ends: (() => unknown)[] = [];
const startedMs = performance.now();
const connections = Number(values.connections);
try {
  const result = await soak(
    { after: (end) => ends.push(end) },
    {
      connections,
      // Heaps and buffers find their size within the first twenty thousand.
      warmUp: connections,
      atOnce: Number(values['at-once']),
      secure: values.tls,
      manners: 'any',
      transport: values.transport,
      seed: Number(values.seed),
    },
  );
  const { warmRssBytes, afterRssBytes, ...rest } = result;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  console.log(
    `${connections} connections, transport ${rest.transport}${values.tls ? ', TLS' : ''}, seed ${values.seed}`,
  );
  console.table({ before: rest.before, 'after the warm-up': rest.warm, after: rest.after });
  console.log(`resident memory: ${mib(warmRssBytes)} MiB after the warm-up, ${mib(afterRssBytes)} MiB after`);
  console.log(`${rest.upstreamRequests} requests upstream, ${rest.politeRequests} of a polite client, ${seconds} s`);
  const faults = faultsOf(result);
  for (const fault of faults) console.error(`soak: ${fault}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  for (const end of ends) await end();
  process.exit();
}
