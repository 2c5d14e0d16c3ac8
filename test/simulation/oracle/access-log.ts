import type { ExchangeRecord } from '../records.ts';
import type { Run } from '../run.ts';
import { timelineOf } from './timeline.ts';

/** What a line of the access log says; fields without a value are left out. */
interface AccessLine {
  readonly path?: string;
  readonly status: number;
  readonly request_id: string;
  readonly upstream_status?: number;
  readonly error?: string;
}

/** Each exchange has one line, which says what its client got. */
export function checkAccessLog(run: Run): void {
  const { records, controls } = run;
  if (controls.some(({ script }) => script.what === 'die' || script.what === 'drain')) return;
  const lines = new Map<string, AccessLine[]>();
  for (const text of run.accessLines) {
    const line = JSON.parse(text) as AccessLine;
    const tag = /\b(t\d{5})\b/.exec(line.path ?? '')?.[1] ?? '';
    const known = lines.get(tag);
    if (known === undefined) lines.set(tag, [line]);
    else known.push(line);
  }
  for (const [tag, exchange] of records.exchanges) {
    const own = lines.get(tag) ?? [];
    const isRead =
      Number.isFinite(timelineOf(exchange).readMs) &&
      exchange.script.fault?.kind !== 'head' &&
      exchange.reply?.status !== 408;
    if (own.length > 1 || (isRead && own.length !== 1 && exchange.reply !== null && isServed(exchange)))
      records.find('access log', `${tag} has ${own.length} lines`);
    for (const line of own) checkLine(run, exchange, line);
  }
}

function checkLine({ records }: Run, { script, reply, client }: ExchangeRecord, line: AccessLine): void {
  if (reply === null) return;
  const say = (what: string) => records.find('access log', `the line of ${script.tag} has ${what}`);
  const { fields } = reply.head;
  if (!reply.complete) {
    // What was passed on to the connection counts as sent, although a client that stops or leaves does not take it.
    const takes = client.pausedSpans.length === 0 && !Number.isFinite(client.leftMs);
    if (line.error === undefined && takes) say('no error, although its reply was cut');
    return;
  }
  // A reply without a length is complete for its client when it ends, however it does.
  const endsWithConnection = !fields.has('content-length') && !fields.has('transfer-encoding');
  if (line.status !== reply.status && !endsWithConnection) say(`the status ${line.status}, and not ${reply.status}`);
  if (fields.get('x-request-id')?.join() !== line.request_id) say(`the id ${line.request_id}`);
  if (!fields.has('x-sim-reply')) return;
  if (line.upstream_status !== reply.status) say(`${line.upstream_status} as the status of its upstream`);
  if (line.error !== undefined && !endsWithConnection) say(`the error ${line.error}, although its reply is whole`);
}

/** A request behind one that closes the connection is not served. */
function isServed({ client, index }: ExchangeRecord): boolean {
  return client.exchanges.slice(0, index).every(({ reply }) => reply?.complete && !reply.head.fields.has('connection'));
}
