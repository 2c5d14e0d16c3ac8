/** Closed-loop load by wrk: one thread, every connection with one request at a time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Processes } from './processes.ts';
import { headersOf, type TokenPattern, type Workload } from './workload.ts';

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

/** @throws Error when any request failed, timed out, was not answered as it should, or was answered with too few bytes */
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
  return checkSummary(JSON.parse(line) as WrkSummary, load.workload);
}

function checkSummary(summary: WrkSummary, { replyBytes, replyStatus = 200 }: Workload): WrkResult {
  const { bytes, errors, ...result } = summary;
  // For wrk every status from 400 on is an error: where they are wanted, all have to be.
  const passed = replyStatus < 400 ? 0 : result.requests - (errors['status'] ?? 0);
  const failures = replyStatus < 400 ? errors : { ...errors, status: 0, 'not refused': passed };
  const failed = Object.entries(failures).filter(([, count]) => count > 0);
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

/**
 * One target stays a request that wrk prepares once; several are prepared at the start and taken in turn. With a token of its own each
 * is put together from pieces, which is all that wrk can do about it without becoming slower than the gateway.
 */
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
${workload.tokens === undefined ? '' : requestsWithTokens(workload.tokens)}
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

/** Numbers go on from run to run, as the seconds do. */
function requestsWithTokens({ before, after }: TokenPattern): string {
  return `
wrk.headers['Authorization'] = ${lua(`Bearer ${before}!${after}`)}
local digits, number, before, after = ${base64OfDigits()}, os.time() % 1000 * 1000000, '', ''
function init()
  local whole = wrk.format()
  local at = whole:find('!', 1, true)
  before, after = whole:sub(1, at - 1), whole:sub(at + 1)
end
function request()
  number = (number + 1) % 1000000000
  local thousands = math.floor(number / 1000)
  return before .. digits[math.floor(thousands / 1000)] .. digits[thousands % 1000] .. digits[number % 1000] .. after
end`;
}

/** A table from 0 on: three digits are three bytes, and so four characters of base64. */
function base64OfDigits(): string {
  const [first, ...others] = Array.from({ length: 1000 }, (_none, number) =>
    lua(Buffer.from(`${number}`.padStart(3, '0')).toString('base64url')),
  );
  return `{[0]=${first},${others.join(',')}}`;
}

/** A Lua string literal. The workloads are printable ASCII, where Lua and JSON agree. */
function lua(text: string): string {
  return JSON.stringify(text);
}
