import { flatText } from '../base/latin1.ts';
import { type AccessRecord, LIMIT } from './access-record.ts';
import { jsonText } from './line-text.ts';
import { pathOf, type QueryPolicy, queryOf } from './redact.ts';
import { decimalMs, IsoTime } from './time-stamp.ts';

/*
 * A line is put together from few and large pieces, because that is what it costs by (bench/micro/access-line.ts):
 *
 *   {"time":"..","request_id":" id ","client_ip":" address ","scheme":"..","method":"..","host":"..","path":" path
 *   `------ TimePiece -------'                            `----------------- RequestPiece -----------------'
 *   ","protocol":"..","status":200,"bytes_sent": 64 ,"bytes_received":0,"duration_ms": 1.234 ,"route":"..", ...
 *
 * A piece that the line before had too is used again: what is in it changes seldom from one request to the next.
 */

/** Everything up to the id. */
class TimePiece {
  readonly #time = new IsoTime();
  #ms = Number.NaN;
  #piece = '';

  of({ endedMs }: AccessRecord): string {
    const ms = Math.floor(endedMs);
    if (ms === this.#ms) return this.#piece;
    this.#ms = ms;
    this.#piece = flatText(`{"time":"${this.#time.of(ms)}","request_id":"`);
    return this.#piece;
  }
}

/** From the client's address to the path. */
class RequestPiece {
  #scheme = '';
  #method = '';
  #host = '';
  #piece = '';

  of({ scheme, method, host }: AccessRecord): string {
    if (method === this.#method && host === this.#host && scheme === this.#scheme) return this.#piece;
    this.#scheme = scheme;
    this.#method = method;
    this.#host = host;
    const hostField = host === '' ? '' : `","host":"${jsonText.of(host, LIMIT.host)}`;
    this.#piece = flatText(
      `","scheme":"${scheme}","method":"${jsonText.of(method, LIMIT.method)}${hostField}","path":"`,
    );
    return this.#piece;
  }
}

/** From the path to the number of bytes that were sent. */
class StatusPiece {
  #status = -1;
  #versionMinor = -1;
  #piece = '';

  of({ status, versionMinor }: AccessRecord): string {
    if (status === this.#status && versionMinor === this.#versionMinor) return this.#piece;
    this.#status = status;
    this.#versionMinor = versionMinor;
    this.#piece = flatText(`","protocol":"HTTP/1.${versionMinor}","status":${status},"bytes_sent":`);
    return this.#piece;
  }
}

/** From the duration to the upstream's; for a request that has a route. */
class RoutePiece {
  #route = '';
  #upstream = '';
  #status = -1;
  #attempts = -1;
  #piece = '';

  of(record: AccessRecord): string {
    const { route, upstream, upstreamStatus, attempts } = record;
    const isSame = route === this.#route && upstream === this.#upstream;
    if (isSame && upstreamStatus === this.#status && attempts === this.#attempts) return this.#piece;
    this.#route = route;
    this.#upstream = upstream;
    this.#status = upstreamStatus;
    this.#attempts = attempts;
    this.#piece = flatText(routeFields(record));
    return this.#piece;
  }
}

/** Ends with the key of the upstream's duration, where there was an upstream. */
function routeFields({ route, backend, upstream, upstreamStatus, attempts }: AccessRecord): string {
  const names = `,"route":"${jsonText.of(route, LIMIT.name)}","backend":"${jsonText.of(backend, LIMIT.name)}"`;
  if (upstream === '') return names;
  const status = upstreamStatus === 0 ? '' : `,"upstream_status":${upstreamStatus}`;
  return `${names},"upstream":"${jsonText.of(upstream, LIMIT.name)}"${status},"attempts":${attempts},"upstream_ms":`;
}

const AGENT_SLOTS = 256;

/**
 * The user agent, whose hundred characters take as long to look through as the rest of the line to write. Those seen last are
 * kept, each in the one slot where it can be.
 */
class AgentPieces {
  readonly #agents: string[] = new Array<string>(AGENT_SLOTS).fill('');
  readonly #pieces: string[] = new Array<string>(AGENT_SLOTS).fill(',"user_agent":""');

  of(agent: string): string {
    const slot = slotOf(agent);
    if (agent === this.#agents[slot]) return this.#pieces[slot] as string;
    const piece = flatText(`,"user_agent":"${jsonText.of(agent, LIMIT.userAgent)}"`);
    if (agent.length > LIMIT.userAgent) return piece;
    // Not the string itself: it is cut out of a head, which it would keep in memory.
    this.#agents[slot] = flatText(agent);
    this.#pieces[slot] = piece;
    return piece;
  }
}

/** User agents differ in their versions, which are in the middle and near the end. */
function slotOf(agent: string): number {
  const { length } = agent;
  const middle = agent.charCodeAt(length >> 1) * 31 + agent.charCodeAt(length - (length >> 2)) * 7;
  return (length + middle + agent.charCodeAt(length - 2) * 3 + agent.charCodeAt(length - 1)) & (AGENT_SLOTS - 1);
}

/** One JSON object. A field without a value is left out. */
export function jsonLine(query: QueryPolicy): (record: AccessRecord) => string {
  const timePiece = new TimePiece();
  const requestPiece = new RequestPiece();
  const statusPiece = new StatusPiece();
  const routePiece = new RoutePiece();
  const agentPieces = new AgentPieces();

  return (record) => {
    const start = `${timePiece.of(record) + record.requestId}","client_ip":"${record.clientAddress}`;
    const request = record.method === '' ? unreadRequest(record) : readRequest(record);
    const received =
      record.receivedBytes === 0 ? NOTHING_RECEIVED : `,"bytes_received":${record.receivedBytes}${DURATION}`;
    const middle = start + request + record.sentBytes + received + decimalMs(record.durationMs);
    const consumer = record.consumer === '' ? '' : `,"consumer":"${jsonText.of(record.consumer, LIMIT.name)}"`;
    return middle + route(record) + consumer + error(record) + client(record);
  };

  function readRequest(record: AccessRecord): string {
    const path = jsonText.of(pathOf(record.target), LIMIT.target);
    const shownQuery = queryOf(record.target, query);
    const queryField = shownQuery === '' ? '' : `","query":"${jsonText.of(shownQuery.slice(1), LIMIT.target)}`;
    return requestPiece.of(record) + path + queryField + statusPiece.of(record);
  }

  function route(record: AccessRecord): string {
    if (record.route === '') return '';
    const fields = routePiece.of(record);
    return record.upstream === '' ? fields : fields + decimalMs(record.upstreamMs);
  }

  function client({ userAgent, referer }: AccessRecord): string {
    const agentField = userAgent === null ? '' : agentPieces.of(userAgent);
    if (referer === null) return `${agentField}}\n`;
    const shown = pathOf(referer) + queryOf(referer, query);
    return `${agentField},"referer":"${jsonText.of(shown, LIMIT.referer)}"}\n`;
  }
}

const DURATION = ',"duration_ms":';
const NOTHING_RECEIVED = `,"bytes_received":0${DURATION}`;

function unreadRequest({ scheme, status }: AccessRecord): string {
  return `","scheme":"${scheme}","status":${status},"bytes_sent":`;
}

function error(record: AccessRecord): string {
  return record.error === '' ? '' : `,"error":"${record.error}"`;
}
