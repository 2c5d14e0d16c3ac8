import { constants, gunzipSync } from 'node:zlib';
import { bodyOf } from '../hosts/blocks.ts';
import { API_KEY, targetOf } from '../hosts/request-bytes.ts';
import type { Link } from '../net/link.ts';
import type { AttemptRecord, ExchangeRecord, Records } from '../records.ts';
import type { Run } from '../run.ts';
import { bodyBytesOf } from './fate.ts';
import { isBehindSurplus, isOnDistrusted, mayBeSurplus } from './surplus.ts';
import { isIdempotent, SAME_MS, timelineOf, unheardBytes, waysOf } from './timeline.ts';

/** Whether what came is what its request asked for, byte for byte. */
export function checkReplyContent(run: Run, exchange: ExchangeRecord): void {
  const { records } = run;
  const { script, reply } = exchange;
  if (reply === null) return;
  const { fields } = reply.head;
  const source = fields.get('x-sim-reply')?.[0];
  if (source !== undefined && !source.startsWith(script.tag) && mayBeSurplus(run, exchange)) return;
  checkTags(records, script.tag, [
    ...reply.head.lines,
    ...reply.trailers,
    reply.kept.length < 4 ? ownText(exchange) : '',
  ]);
  for (const name of ['content-length', 'transfer-encoding', 'x-sim-reply', 'x-mark', 'date', 'content-encoding']) {
    if ((fields.get(name)?.length ?? 0) > 1) records.find('reply', `the reply to ${script.tag} has ${name} twice`);
  }
  if (fields.get('x-request-id')?.length !== 1 || fields.get('via')?.length !== 1)
    records.find('reply', `the reply to ${script.tag} has not one X-Request-ID and one Via`);
  // RFC 9110 15.2: a client of HTTP/1.0 does not know them.
  if (script.versionMinor === 0 && exchange.interims.length > 0)
    records.find('reply', `${script.tag} received ${exchange.interims.join()} in HTTP/1.0`);
  if (source === undefined) {
    checkOwnReply(records, exchange);
    return;
  }
  const attempt = run.records.attempts.find(({ tag, number }) => `${tag}/${number}` === source && tag === script.tag);
  if (attempt === undefined) {
    records.find('foreign reply', `${script.tag} received the reply ${source}`);
    return;
  }
  if (reply.status !== attempt.script.status) {
    records.find('reply', `${script.tag} received ${reply.status} in the place of ${attempt.script.status}`);
  }
  if (reply.complete) checkWholeReply(run, exchange, attempt);
  if (fields.has('content-encoding')) checkCodedBody(records, exchange, attempt);
}

function ownText({ reply }: ExchangeRecord): string {
  if (reply === null || reply.head.fields.has('content-encoding')) return '';
  return Buffer.concat(reply.kept).toString('latin1');
}

/** No field of one request shows up in the reply to another. */
function checkTags(records: Records, own: string, texts: readonly string[]): void {
  for (const text of texts) {
    for (const [found] of text.matchAll(/\bt\d{5}\b/g)) {
      if (found !== own) records.find('foreign text', `the reply to ${own} names ${found}: ${text.slice(0, 200)}`);
    }
  }
}

function checkOwnReply(records: Records, exchange: ExchangeRecord): void {
  const { reply, script } = exchange;
  if (reply === null) return;
  const hook = reply.head.fields.get('x-sim-hook')?.[0];
  if (hook !== undefined && hook !== script.tag)
    records.find('foreign reply', `${script.tag} received what a hook said to ${hook}`);
  if (script.method === 'HEAD' && reply.bodyBytes > 0)
    records.find('reply', `the reply to the HEAD ${script.tag} has a body`);
  if (hook === undefined && reply.complete && reply.status >= 400) checkProblem(records, exchange);
}

/** Field lines that a status of the gateway's own comes with. */
const FIELD_OF_STATUS: ReadonlyMap<number, { readonly name: string; readonly value: RegExp }> = new Map([
  [401, { name: 'www-authenticate', value: /\w/ }],
  [405, { name: 'allow', value: /\bGET\b/ }],
  [503, { name: 'retry-after', value: /^[1-9]\d*$/ }],
]);

const PROBLEM = 'application/problem+json';
/** RFC 9110 12.5.1: of a client that reads text only, or everything but problems. */
const TAKES_NO_PROBLEM = /^Accept: text\/plain\r|problem\+json;q=0\r/m;

/** RFC 9457: what the gateway refuses, it explains. */
function checkProblem(records: Records, { reply, script }: ExchangeRecord): void {
  if (reply === null) return;
  const { status, head, kept } = reply;
  const say = (what: string) => records.find('reply', `the ${status} to ${script.tag} has ${what}`);
  const field = FIELD_OF_STATUS.get(status);
  if (field !== undefined && !field.value.test(head.fields.get(field.name)?.join() ?? '')) say(`no ${field.name}`);
  const takesText = TAKES_NO_PROBLEM.test(script.extraLines);
  const type = head.fields.get('content-type')?.join() ?? '';
  const isText = type.startsWith('text/plain');
  // What a head says of it that is wrong, or not whole, may not be read.
  if (isText ? !takesText : type !== PROBLEM || (takesText && script.fault?.kind !== 'head' && status !== 408))
    say(`the type ${type}`);
  if (isText || script.method === 'HEAD' || head.fields.has('content-encoding')) return;
  const problem = problemOf(kept);
  if (problem?.status !== status) say(`the problem ${JSON.stringify(problem)}`);
  if (problem?.request_id !== head.fields.get('x-request-id')?.join()) say('the id of another request');
  // No connection of a run has TLS.
  if (/tls/.test(problem?.type ?? 'tls')) say(`the problem ${problem?.type}`);
}

interface Problem {
  readonly type?: string;
  readonly status?: number;
  readonly request_id?: string;
}

function problemOf(pieces: readonly Buffer[]): Problem | null {
  try {
    return JSON.parse(Buffer.concat(pieces).toString('latin1')) as Problem;
  } catch {
    return null;
  }
}

function checkWholeReply(run: Run, exchange: ExchangeRecord, attempt: AttemptRecord): void {
  const { records } = run;
  const { reply, script } = exchange;
  if (reply === null) return;
  const isCoded = reply.head.fields.has('content-encoding');
  const wanted = bodyBytesOf(attempt);
  const seen = isCoded ? wholeLengthOf(reply.kept) : reply.bodyBytes;
  if (seen !== wanted && script.method !== 'HEAD') {
    const endsWithConnection = !reply.head.fields.has('content-length') && !reply.head.fields.has('transfer-encoding');
    const { ended } = exchange.client;
    // The system closes the connections of a worker that dies as if their replies were whole.
    const died = run.controls.some(({ script: control }) => control.what === 'die');
    if (!endsWithConnection || (ended === 'fin' && !died)) {
      records.find(
        'short reply',
        `${script.tag} received ${seen < 0 ? 'a part' : seen} of ${wanted} bytes, and took them for all`,
      );
    }
  }
}

function checkCodedBody(records: Records, { reply, script }: ExchangeRecord, attempt: AttemptRecord): void {
  if (reply === null || script.method === 'HEAD') return;
  const body = decoded(reply.kept);
  if (!body.equals(bodyOf(attempt.tag, '<', 0, body.length))) {
    records.find('foreign bytes', `the coded reply to ${script.tag} is not what its upstream sent`);
  }
}

/** As much as there is. */
function decoded(pieces: readonly Buffer[]): Buffer {
  const coded = Buffer.concat(pieces);
  return coded.length === 0 ? coded : gunzipSync(coded, { finishFlush: constants.Z_SYNC_FLUSH });
}

/** How many bytes a coded body has that is whole; -1 for one that is not. */
function wholeLengthOf(pieces: readonly Buffer[]): number {
  try {
    return pieces.length === 0 ? 0 : gunzipSync(Buffer.concat(pieces)).length;
  } catch {
    return -1;
  }
}

/** Whether what an upstream received is what its client sent, and may be sent at all. */
export function checkAttempts(run: Run, exchange: ExchangeRecord): void {
  const { records } = run;
  const { script } = exchange;
  const attempts = records.attemptsOf(script.tag);
  const life = timelineOf(exchange);
  if (attempts.length > 1 && !isIdempotent(script.method)) {
    const heard = attempts.filter(({ link }) => link.writes.length > 0);
    if (heard.length > 1)
      records.find('sent twice', `the ${script.method} ${script.tag} was sent ${heard.length} times`);
  }
  const retries = Math.max(0, ...waysOf(run, exchange).map(({ route }) => route?.retries ?? 0));
  if (attempts.length > retries + 2) records.find('sent often', `${script.tag} was sent ${attempts.length} times`);
  for (const attempt of attempts) checkAttempt(run, exchange, attempt, Math.max(life.faultMs, life.turnMs));
  const [first] = attempts;
  if (first !== undefined && hasLeftQueue(run, exchange, first))
    records.find('sent all the same', `${script.tag} went upstream, although its client had left the queue`);
}

/**
 * Whether an attempt is that of a client that had ended its side while it waited for a connection, and for nothing else. Behind hooks,
 * failed tries and standstills nobody can tell that it waited for that; and the end behind a body is heard only when that is read.
 */
function hasLeftQueue(run: Run, exchange: ExchangeRecord, { link, requestStart }: AttemptRecord): boolean {
  const { client, script, index } = exchange;
  const { turnMs } = timelineOf(exchange);
  const leftMs = Math.max(turnMs, client.link?.finArrivedMs ?? Number.POSITIVE_INFINITY) + SAME_MS;
  const isOwnDial = requestStart === 0 && link.dialledMs <= leftMs;
  if (isOwnDial || link.writtenMs(requestStart + 1) <= leftMs) return false;
  if (script.body.framing !== 'none' || index < client.exchanges.length - 1) return false;
  if (script.hooks.some(({ request }) => request.act !== 'pass' && request.act !== 'set header')) return false;
  if (run.controls.some(({ script: control }) => control.what === 'stall')) return false;
  const addresses = run.scenario.upstreams.map(({ address }) => address);
  const tries = run.network.links.filter(
    ({ peer, row, closedMs }) => addresses.includes(peer) && row === client.script.row && closedMs >= turnMs,
  );
  return tries.every((other) => other.failure === null && Number.isFinite(other.learntMs) && !isUnheard(run, other));
}

const isUnheard = (run: Run, link: Link): boolean => unheardBytes(run, link) > 0;

function checkAttempt(run: Run, exchange: ExchangeRecord, attempt: AttemptRecord, faultMs: number): void {
  const { records } = run;
  const { script } = exchange;
  const { fields, firstLine } = attempt.head;
  const say = (what: string) => records.find('request', `attempt ${attempt.number} of ${script.tag}: ${what}`);
  if (fields.get('host')?.length !== 1) say(`${fields.get('host')?.length ?? 0} Host fields`);
  if (fields.get('x-mark')?.join() !== `mark-of-${script.tag}`) say(`X-Mark is ${fields.get('x-mark')?.join()}`);
  checkTags(records, script.tag, attempt.head.lines);
  const ways = waysOf(run, exchange);
  const [way] = ways;
  if (ways.every(({ route }) => route?.apiKey) && (firstLine.includes(API_KEY) || fields.has('x-api-key')))
    say('the key went upstream');
  if (ways.every(({ route }) => route?.transform) && fields.get('x-transformed')?.join() !== 'request')
    say('nothing of `transform`');
  const written = way?.route?.stripPrefix ? targetOf(script).replace(`/${script.route}`, '') : targetOf(script);
  const target = way?.route?.apiKey ? written.replace(`&api_key=${API_KEY}`, '') : written;
  if (ways.length === 1 && firstLine !== `${script.method} ${target} HTTP/1.1`)
    say(`${firstLine} in the place of ${target}`);
  if (attempt.overlaps !== null && !isBehindSurplus(run, attempt))
    say(`${attempt.overlaps} is under way on its connection`);
  if (isOnDistrusted(run, attempt)) say('it reuses a connection of an upstream that sends what nobody asks for');
  const login = records.attempts.find(
    (other) => other.link === attempt.link && other.requestStart < attempt.requestStart && logsIn(other),
  );
  // Behind surplus bytes each reply answers the request after its own.
  if (login !== undefined && login.exchange?.client !== exchange.client && !isBehindSurplus(run, attempt))
    say(`${login.tag} has logged in on its connection`);
  if (attempt.link.writtenMs(attempt.requestStart + 1) > faultMs) say('it was sent after its fault was read');
  if (attempt.wholeMs === Number.POSITIVE_INFINITY) return;
  if (script.fault?.kind === 'chunk') say('it is whole, although its body is not');
  if (attempt.bodyBytes !== script.body.bytes) say(`it has ${attempt.bodyBytes} bytes of ${script.body.bytes}`);
  const { end, client } = exchange;
  if (client.link !== null && client.link.readMs(end) === Number.POSITIVE_INFINITY)
    say('it is whole before its client sent all');
  if (script.trailers && attempt.trailers.length > 0) checkTags(records, script.tag, attempt.trailers);
}

/** NTLM and Negotiate authenticate a connection, and not a request: it belongs to its client from then on. */
function logsIn({ head, script, link, replyHeadEnd }: AttemptRecord): boolean {
  if (/^(?:NTLM|Negotiate)/.test(head.fields.get('authorization')?.join() ?? '')) return true;
  return /NTLM|Negotiate/.test(script.extraLines) && Number.isFinite(link.readMs(replyHeadEnd));
}
