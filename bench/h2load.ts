/** Load by h2load over HTTP/1.1: an exact number of requests, or an open loop at a fixed rate. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Processes } from './processes.ts';
import { percentileOf } from './statistics.ts';
import { headersOf, type Workload } from './workload.ts';

export interface RatedLoad {
  readonly port: number;
  readonly workload: Workload;
  readonly connections: number;
  readonly seconds: number;
  /** Of all the connections together. */
  readonly requestsPerSecond: number;
}

export interface RatedResult {
  readonly requests: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Sends exactly `requests` requests. @throws Error when one of them fails */
export async function sendRequests(
  processes: Processes,
  load: Omit<RatedLoad, 'seconds' | 'requestsPerSecond'> & { readonly requests: number },
): Promise<void> {
  await runH2load(processes, load, ['-n', `${load.requests}`]);
}

/**
 * Sends at a fixed rate. h2load lets its clients off together, every 10 ms, so what its percentiles show is how long a gateway takes to work off
 * a burst: compare them between gateways, and do not read them as the latency of evenly spread requests.
 * @throws Error when a request fails
 */
export async function runRated(processes: Processes, load: RatedLoad): Promise<RatedResult> {
  const log = join(mkdtempSync(join(processes.directory, 'h2load-')), 'log.tsv'); // It appends to a file that exists.
  const perClient = load.requestsPerSecond / load.connections;
  await runH2load(processes, load, ['-D', `${load.seconds}`, '--rps', perClient.toFixed(2), '--log-file', log]);
  const latenciesUs = readLatencies(readFileSync(log, 'latin1')).sort((a, b) => a - b);
  return { requests: latenciesUs.length, p50Us: percentileOf(latenciesUs, 50), p99Us: percentileOf(latenciesUs, 99) };
}

/** The third column, microseconds, of h2load's log. @throws Error when a status is not 200 */
export function readLatencies(log: string): number[] {
  return log
    .trim()
    .split('\n')
    .map((line) => {
      const [, status, latencyUs] = line.split('\t');
      if (status !== '200') throw new Error(`Wrong status under load: want 200, got ${status}`);
      return Number(latencyUs);
    });
}

async function runH2load(
  processes: Processes,
  load: Pick<RatedLoad, 'port' | 'workload' | 'connections'>,
  extent: readonly string[],
): Promise<void> {
  const headers = Object.entries(headersOf(load.workload)).filter(([name]) => name !== 'Host' && name !== 'Connection');
  const { output } = await processes.run({
    name: 'h2load',
    command: 'h2load',
    args: [
      ...['--h1', '-t1', `-c${load.connections}`, ...extent],
      ...headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      `http://127.0.0.1:${load.port}${load.workload.paths[0]}`,
    ],
    core: null,
  });
  const failures = /(\d+) failed, (\d+) errored, (\d+) timeout/.exec(output);
  const other = /status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output);
  if (failures === null || other === null) throw new Error(`Cannot read what h2load said:\n${output}`);
  const bad = [...failures.slice(1), ...other.slice(1)].some((count) => count !== '0');
  if (bad) throw new Error(`Errors under load:\n${output}`);
}
