/** System calls per request, counted by strace: a figure that does not depend on the machine's mood. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Processes } from './processes.ts';
import { runWrk, type WrkLoad } from './wrk.ts';

const SHORT_SECONDS = 1;
const LONG_SECONDS = 3;
const ATTACH_TIMEOUT_MS = 5_000;

/** Those that move bytes of messages. */
const dataCall = /^(p?(read|write)v?(64|2)?|(recv|send)(from|to|msg|mmsg)?|sendfile(64)?|splice)$/;

export interface SystemCalls {
  /** Calls per request by name, the most frequent first. */
  readonly byName: Readonly<Record<string, number>>;
  /** The sum over the calls that move bytes. */
  readonly dataPerRequest: number;
}

interface Count {
  readonly requests: number;
  readonly calls: ReadonlyMap<string, number>;
}

/**
 * Two windows, a short and a long one: what the long one has more of, over the requests that it has more of. So opening and closing the
 * connections, which both have, does not count.
 */
export async function countSystemCalls(
  processes: Processes,
  pids: readonly number[],
  load: Omit<WrkLoad, 'seconds'>,
): Promise<SystemCalls> {
  const short = await countWindow(processes, pids, { ...load, seconds: SHORT_SECONDS });
  const long = await countWindow(processes, pids, { ...load, seconds: LONG_SECONDS });
  const requests = long.requests - short.requests;
  const perRequest = [...long.calls]
    .map(([name, calls]) => [name, (calls - (short.calls.get(name) ?? 0)) / requests] as const)
    .filter(([, calls]) => calls >= 0.0005)
    .sort(([, a], [, b]) => b - a);
  const dataPerRequest = perRequest.reduce((sum, [name, calls]) => (dataCall.test(name) ? sum + calls : sum), 0);
  return { byName: Object.fromEntries(perRequest), dataPerRequest };
}

async function countWindow(processes: Processes, pids: readonly number[], load: WrkLoad): Promise<Count> {
  const attach = pids.flatMap((pid) => ['-p', `${pid}`]);
  const strace = processes.start({ name: 'strace', command: 'strace', args: ['-c', '-f', ...attach], core: null });
  const deadline = Date.now() + ATTACH_TIMEOUT_MS;
  while ((strace.errorOutput.match(/ attached/g)?.length ?? 0) < pids.length) {
    if (strace.hasEnded || Date.now() > deadline) throw new Error(`Cannot attach strace.\n${strace.lastWords}`);
    await delay(20);
  }
  const { requests } = await runWrk(processes, load);
  await strace.stop('SIGINT');
  return { requests, calls: parseStraceTable(strace.errorOutput) };
}

/** The table that `strace -c` ends with: `% time, seconds, usecs/call, calls, [errors,] syscall`. */
export function parseStraceTable(text: string): Map<string, number> {
  const rows = text.matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z]\w*)$/gm);
  return new Map(
    [...rows].filter(([, , name]) => name !== 'total').map(([, calls, name]) => [name as string, Number(calls)]),
  );
}
