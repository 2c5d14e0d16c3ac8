/** Closed-loop load by wrk: one thread, every connection with one request at a time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Processes } from './processes.ts';
import { headersOf, type Workload } from './workload.ts';

export interface WrkLoad {
  readonly port: number;
  /** Over TLS, which wrk does not verify. */
  readonly secure: boolean;
  readonly workload: Workload;
  readonly connections: number;
  readonly seconds: number;
}

export interface WrkResult {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

interface WrkSummary extends WrkResult {
  readonly bytes: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** @throws Error when any request failed, timed out, was not answered with success, or was answered with too few bytes */
export async function runWrk(processes: Processes, load: WrkLoad): Promise<WrkResult> {
  const script = join(processes.directory, 'load.lua');
  writeFileSync(script, luaScript(load.workload));
  const { output } = await processes.run({
    name: 'wrk',
    command: 'wrk',
    args: [
      '-t1',
      `-c${load.connections}`,
      `-d${load.seconds}s`,
      '-s',
      script,
      `${load.secure ? 'https' : 'http'}://127.0.0.1:${load.port}`,
    ],
    core: null,
  });
  const line = /^summary (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`Cannot read what wrk said:\n${output}`);
  return checkSummary(JSON.parse(line) as WrkSummary, load.workload.replyBytes);
}

function checkSummary(summary: WrkSummary, replyBytes: number): WrkResult {
  const { bytes, errors, ...result } = summary;
  const failed = Object.entries(errors).filter(([, count]) => count > 0);
  if (failed.length > 0)
    throw new Error(`Errors under load: ${failed.map(([what, count]) => `${count} ${what}`).join(', ')}`);
  if (result.requests === 0) throw new Error('No reply at all under load');
  if (bytes / result.requests < replyBytes) {
    throw new Error(
      `Short replies under load: want ${replyBytes} bytes of body, got ${bytes / result.requests} with heads`,
    );
  }
  return result;
}

/** One target stays a request that wrk prepares once; several are prepared at the start and taken in turn. */
function luaScript(workload: Workload): string {
  const headers = Object.entries(headersOf(workload)).map(
    ([name, value]) => `wrk.headers[${lua(name)}] = ${lua(value)}`,
  );
  const several = `
local paths, requests, last = {${workload.paths.map(lua).join(',')}}, {}, 0
function init() for i, path in ipairs(paths) do requests[i] = wrk.format(nil, path) end end
function request() last = last % #requests + 1; return requests[last] end`;
  return `
wrk.method = ${lua(workload.method)}
wrk.path = ${lua(workload.paths[0] ?? '/')}
wrk.body = ${workload.body === null ? 'nil' : lua(workload.body)}
${headers.join('\n')}
${workload.paths.length > 1 ? several : ''}
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\nsummary {"requests":%d,"durationUs":%d,"bytes":%d,"p50Us":%d,"p99Us":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
`;
}

/** A Lua string literal. The workloads are printable ASCII, where Lua and JSON agree. */
function lua(text: string): string {
  return JSON.stringify(text);
}
