/** Requests at a fixed rate from one client of many connections, whether replies come or not, and what became of each. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientConnection, openConnections, type Reply } from './client-connection.ts';
import { headersOf, requestText, type Workload } from './workload.ts';

const TICK_MS = 1;
const REPLY_TIMEOUT_MS = 10_000;

export interface OpenLoad {
  readonly port: number;
  readonly workload: Workload;
  readonly connectionsPerWorker: number;
  readonly workers: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
}

/** By the client's clock. */
export interface OpenLoadResult {
  readonly sent: number;
  /** Answered with 200; all others were answered with 429. */
  readonly passed: number;
  /** From the sending of the first request, which passes, to the last reply with 200: all decisions fall in between. */
  readonly passingMs: number;
  /** The fewest replies of a worker. */
  readonly leastOfWorker: number;
}

/** What is late is made up for at the next tick: over any time it is as many as it should be. @throws Error for any other reply, or none */
export async function runOpenLoop(load: OpenLoad): Promise<OpenLoadResult> {
  const connections = await openConnections(load.port, load.workers, load.connectionsPerWorker);
  const tally = new Tally();
  for (const connection of connections) connection.onReply = (reply) => tally.count(reply);
  try {
    const sent = await sendAtRate(connections, load);
    const deadlineMs = performance.now() + REPLY_TIMEOUT_MS;
    while (tally.answered < sent && performance.now() < deadlineMs) await nextTick(connections);
    if (tally.answered < sent) throw new Error(`${sent - tally.answered} of ${sent} requests were not answered`);
    const { passed, passingMs, ofWorkers } = tally;
    return { sent, passed, passingMs, leastOfWorker: Math.min(...ofWorkers.values()) };
  } finally {
    for (const connection of connections) connection.close();
  }
}

class Tally {
  passed = 0;
  answered = 0;
  readonly ofWorkers = new Map<string, number>();
  readonly #beganMs = performance.now();
  #lastMs = 0;

  get passingMs(): number {
    return this.#lastMs - this.#beganMs;
  }

  count({ status, worker }: Reply): void {
    if (status !== 200 && status !== 429) throw new Error(`Wrong reply: want 200 or 429, got ${status}`);
    this.answered++;
    this.ofWorkers.set(worker, (this.ofWorkers.get(worker) ?? 0) + 1);
    if (status !== 200) return;
    this.#lastMs = performance.now();
    this.passed++;
  }
}

async function sendAtRate(connections: readonly ClientConnection[], load: OpenLoad): Promise<number> {
  const text = requestText(load.workload.paths[0] ?? '/', headersOf(load.workload));
  const total = load.requestsPerSecond * load.seconds;
  const beganMs = performance.now();
  let sent = 0;
  while (sent < total) {
    const due = Math.min(total, ((performance.now() - beganMs) * load.requestsPerSecond) / 1000);
    for (; sent < due; sent++) connections[sent % connections.length]?.send(text);
    await nextTick(connections);
  }
  return sent;
}

async function nextTick(connections: readonly ClientConnection[]): Promise<void> {
  await delay(TICK_MS);
  for (const { failure } of connections) if (failure !== null) throw failure;
}
