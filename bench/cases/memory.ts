/** What a gateway keeps in memory: for idle connections, over a million requests, for readers slower than the origin. */
import { setTimeout as delay } from 'node:timers/promises';
import { allCandidates, type Bench, type Case, type Metric, type Sample } from '../bench.ts';
import { openIdleConnections, openSlowReaders } from '../connections.ts';
import { sendRequests } from '../h2load.ts';
import { CONNECTIONS, freshContender, MEBIBYTE } from '../measure.ts';
import { gigabytePath, workloads } from '../origin.ts';
import type { Gateway } from '../peers/peer.ts';
import { readRssBytes, readSettledRssBytes } from '../proc.ts';
import { verifyReplies } from '../workload.ts';
import { runWrk } from '../wrk.ts';

const IDLE_CONNECTIONS = 9_000;
const SPARE_FILES = 500;
const SLOW_READERS = 20;
const RSS_SAMPLE_MS = 50;
const workload = workloads.small;

const shared = { defaultPeers: ['nginx', 'haproxy'], defaultRounds: 1, needs: ['nginx', 'wrk', 'taskset'] };

function mebibytes(key: string, title: string): Metric {
  return { key, title, digits: 1, scale: MEBIBYTE };
}

export const memoryCases: readonly Case[] = [
  {
    ...shared,
    name: 'idle-9000',
    about: `RSS of an idle keep-alive connection, ${IDLE_CONNECTIONS} of them, each after one request`,
    metrics: [
      { key: 'bytesPerConnection', title: 'RSS bytes/connection', digits: 0 },
      mebibytes('warmBytes', 'RSS MiB warm'),
      mebibytes('fullBytes', 'RSS MiB full'),
    ],
    compared: ['bytesPerConnection'],
    contenders: async (bench) => allCandidates(bench).map((who) => freshContender(who, (at) => measureIdle(bench, at))),
  },
  {
    ...shared,
    name: 'rss-million',
    about: 'RSS after 100,000 and after 1,000,000 requests',
    metrics: [
      { key: 'growthPercent', title: 'growth %', digits: 1 },
      mebibytes('after100kBytes', 'RSS MiB after 100k'),
      mebibytes('after1mBytes', 'RSS MiB after 1m'),
    ],
    compared: [],
    needs: [...shared.needs, 'h2load'],
    contenders: async (bench) =>
      allCandidates(bench).map((who) => freshContender(who, (at) => measureMillion(bench, at))),
  },
  {
    ...shared,
    name: 'slow-readers',
    about: `RSS per reader, ${SLOW_READERS} readers of 1 GiB each at about 1 MB/s`,
    metrics: [
      mebibytes('bytesPerReader', 'peak RSS MiB/reader'),
      mebibytes('warmBytes', 'RSS MiB warm'),
      mebibytes('peakBytes', 'RSS MiB peak'),
      mebibytes('readBytes', 'read MiB/reader'),
    ],
    compared: ['bytesPerReader'],
    // Stock nginx would move up to 20 GiB into temporary files.
    defaultPeers: ['nginx-tuned', 'haproxy'],
    contenders: async (bench) => allCandidates(bench).map((who) => freshContender(who, (at) => measureSlow(bench, at))),
  },
];

/** Runs a gateway warm, so that what is measured after it is not its first heap. */
async function warmUp(bench: Bench, gateway: Gateway): Promise<number> {
  await verifyReplies(gateway, workload);
  await runWrk(bench.processes, { port: gateway.port, secure: false, workload, connections: CONNECTIONS, seconds: 2 });
  return readSettledRssBytes(gateway.pids());
}

async function measureIdle(bench: Bench, gateway: Gateway): Promise<Sample> {
  const want = IDLE_CONNECTIONS + SPARE_FILES;
  const got = bench.machine.openFilesMax;
  if (got < want) throw new Error(`Cannot hold ${IDLE_CONNECTIONS} connections: want ${want} open files, got ${got}`);
  const warmBytes = await warmUp(bench, gateway);
  const close = await openIdleConnections(gateway.port, workload, IDLE_CONNECTIONS);
  const fullBytes = await readSettledRssBytes(gateway.pids());
  close();
  return { warmBytes, fullBytes, bytesPerConnection: (fullBytes - warmBytes) / IDLE_CONNECTIONS };
}

async function measureMillion(bench: Bench, gateway: Gateway): Promise<Sample> {
  await verifyReplies(gateway, workload);
  const load = { port: gateway.port, workload, connections: CONNECTIONS };
  await sendRequests(bench.processes, { ...load, requests: 100_000 });
  const after100kBytes = await readSettledRssBytes(gateway.pids());
  await sendRequests(bench.processes, { ...load, requests: 900_000 });
  const after1mBytes = await readSettledRssBytes(gateway.pids());
  return { after100kBytes, after1mBytes, growthPercent: 100 * (after1mBytes / after100kBytes - 1) };
}

async function measureSlow(bench: Bench, gateway: Gateway): Promise<Sample> {
  const warmBytes = await warmUp(bench, gateway);
  const readers = await openSlowReaders(gateway.port, gigabytePath, SLOW_READERS);
  let peakBytes = 0;
  for (const end = Date.now() + bench.seconds * 1000; Date.now() < end; await delay(RSS_SAMPLE_MS)) {
    peakBytes = Math.max(peakBytes, readRssBytes(gateway.pids()));
  }
  const readBytes = readers.close();
  const bytesPerReader = Math.max(0, peakBytes - warmBytes) / SLOW_READERS;
  return { warmBytes, peakBytes, bytesPerReader, readBytes: readBytes / SLOW_READERS };
}
