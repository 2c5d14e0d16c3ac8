/** Requests at a fixed rate from one client of many connections, whether replies come or not, and what became of each. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { headersOf, requestText, type Workload } from './workload.ts';

const TICK_MS = 1;
const REPLY_TIMEOUT_MS = 10_000;
/** The part of a request id that is the worker's own. */
const WORKER_DIGITS = 16;

export interface OpenLoad {
  readonly port: number;
  readonly workload: Workload;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
}

/** By the client's clock. */
export interface OpenLoadResult {
  readonly sent: number;
  /** Answered with 200; all others were answered with 429. */
  readonly passed: number;
  /** From the first reply with 200 to the last one. */
  readonly passingMs: number;
  readonly workers: number;
}

interface Tally {
  passed: number;
  answered: number;
  firstMs: number;
  lastMs: number;
  readonly workers: Set<string>;
}

/** What is late is made up for at the next tick: over any time it is as many as it should be. @throws Error for any other reply, or none */
export async function runOpenLoop(load: OpenLoad): Promise<OpenLoadResult> {
  const tally: Tally = { passed: 0, answered: 0, firstMs: 0, lastMs: 0, workers: new Set() };
  const failed = new AbortController();
  const sockets = Array.from({ length: load.connections }, () => openConnection(load.port, tally, failed));
  try {
    const sent = await sendAtRate(sockets, load, failed.signal);
    const deadlineMs = performance.now() + REPLY_TIMEOUT_MS;
    while (tally.answered < sent && performance.now() < deadlineMs) await delay(TICK_MS);
    failed.signal.throwIfAborted();
    if (tally.answered < sent) throw new Error(`${sent - tally.answered} of ${sent} requests were not answered`);
    const { passed, firstMs, lastMs, workers } = tally;
    return { sent, passed, passingMs: lastMs - firstMs, workers: workers.size };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

async function sendAtRate(sockets: readonly Socket[], load: OpenLoad, failed: AbortSignal): Promise<number> {
  const text = requestText(load.workload.paths[0] ?? '/', headersOf(load.workload));
  const total = load.requestsPerSecond * load.seconds;
  const beganMs = performance.now();
  let sent = 0;
  while (sent < total) {
    failed.throwIfAborted();
    const due = Math.min(total, ((performance.now() - beganMs) * load.requestsPerSecond) / 1000);
    for (; sent < due; sent++) sockets[sent % sockets.length]?.write(text);
    await delay(TICK_MS);
  }
  return sent;
}

function openConnection(port: number, tally: Tally, failed: AbortController): Socket {
  let received = '';
  function take(text: string): void {
    received += text;
    for (let end = endOfReply(received); end > 0; end = endOfReply(received)) {
      count(received.slice(0, end), tally);
      received = received.slice(end);
    }
  }
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1').on('data', (text: string) => {
    try {
      take(text);
    } catch (error) {
      failed.abort(error);
    }
  });
  socket.once('error', (error) => failed.abort(error));
  socket.once('end', () => failed.abort(new Error('A connection was closed that should stay open')));
  return socket;
}

/** 0: it is not all here. */
function endOfReply(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return 0;
  const bodyBytes = Number(/^Content-Length: (\d+)\r$/im.exec(text.slice(0, headEnd + 1))?.[1]);
  const end = headEnd + 4 + bodyBytes;
  return text.length < end ? 0 : end;
}

function count(reply: string, tally: Tally): void {
  const status = reply.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length);
  if (status !== '200' && status !== '429') throw new Error(`Wrong reply: want 200 or 429, got ${status}`);
  tally.answered++;
  tally.workers.add(/^X-Request-ID: (\S+)/m.exec(reply)?.[1]?.slice(0, WORKER_DIGITS) ?? '');
  if (status !== '200') return;
  tally.lastMs = performance.now();
  if (tally.passed++ === 0) tally.firstMs = tally.lastMs;
}
