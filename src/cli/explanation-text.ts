import { formatDuration } from '../base/duration.ts';
import type { Candidate } from '../explain/candidates.ts';
import type { ExplainedBackend, ExplainedRoute, ExplainedSent, Explanation } from '../explain/explanation.ts';
import { reasonPhrase } from '../http/status.ts';
import { alignColumns } from './columns.ts';
import { type Paint, paintFor, printable, type Terminal, widthOf } from './terminal.ts';

/** A line of facts: what it is about, and what there is to say. */
type Fact = readonly [string, string];

const NOT_YET = 'not active yet in this version';
const LABEL_WIDTH = 12;

/** An explanation for people: what happens first, then the routes that were looked at, then what is sent. */
export function describeExplanation(explanation: Explanation, out: Terminal): string {
  const paint = paintFor(out);
  const { route, backend, sent } = explanation;
  const sections = [
    [`${paint('bold', resultLine(explanation))}`],
    factLines([
      ...arrivalFacts(explanation),
      ...replyFacts(explanation),
      ...(route === null ? [] : routeFacts(route)),
      ...(backend === null ? [] : backendFacts(backend)),
    ]),
    candidateLines(explanation, paint, widthOf(out)),
    sent === null ? [] : sentLines(sent, paint),
  ];
  const shown = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}

function resultLine({ request, result, route, backend }: Explanation): string {
  const asked = printable(`${request.method} ${request.target}`);
  if (result.kind === 'no-listener') return `${asked}: ${result.detail}`;
  if (result.kind === 'forwarded') return printable(`${asked}: route ${route?.id}, backend ${backend?.name}`);
  return `${asked}: ${result.status} ${reasonPhrase(result.status)}, answered by the gateway`;
}

function factLines(facts: readonly Fact[]): readonly string[] {
  return facts.map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${printable(text)}`.trimEnd());
}

function arrivalFacts({ listener, client, target }: Explanation): readonly Fact[] {
  const facts: Fact[] = [];
  if (listener !== null) {
    facts.push(['listener', `${listener.address} (${listener.scheme})`]);
    if (listener.note !== null) facts.push(['', listener.note]);
  }
  if (client !== null) facts.push(['client', describeClient(client)]);
  if (target !== null) {
    facts.push(['host', target.host === '' ? 'none' : target.host], ['path', target.path]);
    if (target.query !== null) facts.push(['query', target.query]);
  }
  return facts;
}

function describeClient({ address, peer, peerTrusted }: NonNullable<Explanation['client']>): string {
  if (!peerTrusted) return address;
  return address === peer ? `${address}, a trusted proxy` : `${address}, as the trusted proxy ${peer} says`;
}

function replyFacts({ result }: Explanation): readonly Fact[] {
  if (result.kind !== 'answered') return [];
  const why: Fact[] = result.code === null ? [] : [['code', result.code]];
  if (result.detail !== null) why.push(['because', result.detail]);
  const telling = result.fields.filter((line) => /^(?:allow|location|retry-after|www-authenticate):/i.test(line));
  return [...why, ...telling.map((line): Fact => ['reply field', line])];
}

function routeFacts(route: ExplainedRoute): readonly Fact[] {
  const { id, rank, path, pathParameters, middleware, cache, timeoutMs, retries } = route;
  const parameters = Object.entries(pathParameters).map(([name, value]) => `${name} = ${value}`);
  return [
    ['route', `${id} (${path}, rank ${rank})`],
    ...parameters.map((text, index): Fact => [index === 0 ? 'parameters' : '', text]),
    ...middlewareFacts(middleware),
    ['cache', cache.enabled ? unlessActive(`ttl ${formatDuration(cache.ttlMs)}`, cache.active) : 'off'],
    ['deadline', timeoutMs === null ? 'none' : formatDuration(timeoutMs)],
    ['retries', String(retries)],
  ];
}

function middlewareFacts(middleware: ExplainedRoute['middleware']): readonly Fact[] {
  if (middleware.length === 0) return [['middleware', 'none']];
  return middleware.map(({ name, stage, overrides }, index): Fact => {
    const different = Object.keys(overrides).length === 0 ? '' : ` ${JSON.stringify(overrides)}`;
    const stageName = stage === name ? '' : ` (stage ${stage})`;
    return [index === 0 ? 'middleware' : '', `${name}${stageName}${different}`];
  });
}

function unlessActive(text: string, active: boolean): string {
  return active ? text : `${text} (${NOT_YET})`;
}

function backendFacts(backend: ExplainedBackend): readonly Fact[] {
  const { name, choice, upstreams } = backend;
  const rows = upstreams.map(({ address, tls, share, connectTimeoutMs, readTimeoutMs, writeTimeoutMs }) => [
    address,
    tls ? 'tls' : 'plain',
    `${Math.round(share * 1000) / 10} %`,
    `connect ${formatDuration(connectTimeoutMs)}`,
    `read ${formatDuration(readTimeoutMs)}`,
    `write ${formatDuration(writeTimeoutMs)}`,
  ]);
  return [
    ['backend', `${name}, ${describeBalancing(backend)}`],
    ...(choice === null ? [] : [['chosen', `${choice.upstream}, by ${choice.by}`] satisfies Fact]),
    ...alignColumns(rows, null).map((line, index): Fact => [index === 0 ? 'upstreams' : '', line]),
  ];
}

function describeBalancing({ algorithm, key, stickyCookie }: ExplainedBackend): string {
  const hashing = key === null ? algorithm : `${algorithm} by ${key}`;
  return stickyCookie === null ? hashing : `${hashing}, sticky by the cookie ${stickyCookie}`;
}

function candidateLines(
  { candidates, otherRoutes }: Explanation,
  paint: Paint,
  width: number | null,
): readonly string[] {
  if (candidates.length === 0) return [];
  const rows = candidates.map((each) => [
    each.failed === null ? '>' : ' ',
    String(each.rank),
    each.id,
    describePattern(each),
    each.reason,
  ]);
  const lines = alignColumns([[' ', 'RANK', 'ROUTE', 'PATTERN', 'RESULT'], ...rows], width === null ? null : width - 1);
  const [head = '', ...rest] = lines.map((line) => ` ${line}`.trimEnd());
  const more = otherRoutes === 0 ? [] : [`   and ${otherRoutes} more that are further from this request`];
  return [paint('bold', head), ...rest.map((line) => (line.startsWith(' >') ? paint('green', line) : line)), ...more];
}

function describePattern({ host, path, methods }: Candidate): string {
  return `${methods === null ? '' : `${methods.join(',')} `}${host ?? ''}${path}`;
}

function sentLines({ upstream, proxyHeader, head }: ExplainedSent, paint: Paint): readonly string[] {
  const preface = proxyHeader === null ? [] : [`  (PROXY header, ${proxyHeader})`];
  const title = paint('bold', `Sent to ${printable(upstream)}`);
  return [title, ...preface, ...head.map((line) => `  ${printable(line)}`.trimEnd())];
}
