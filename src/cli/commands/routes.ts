import { formatDuration } from '../../base/duration.ts';
import type { RankedRoute } from '../../explain/ranked-routes.ts';
import { ask } from '../ask.ts';
import { alignColumns } from '../columns.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import { paintFor, type Terminal, widthOf } from '../terminal.ts';

export interface RoutesOptions {
  readonly format: 'text' | 'json';
  /** Ask the running gateway. */
  readonly live?: boolean;
}

/** Prints the routes in the order in which they are tried. */
export async function routes(configFile: string, options: RoutesOptions, out: Terminal): Promise<ExitCode> {
  const { format, live = false } = options;
  const answer = await ask(configFile, { kind: 'routes' }, live);
  if (typeof answer === 'number') return answer;
  if (answer.kind !== 'routes') throw new Error('the answer is to another question');
  const ranked = answer.routes;
  out.write(format === 'json' ? `${JSON.stringify(ranked, null, 2)}\n` : routesTable(ranked, out));
  return EXIT_CODE.ok;
}

function routesTable(ranked: readonly RankedRoute[], out: Terminal): string {
  const columns = COLUMNS.filter(({ value, always }) => always || ranked.some((route) => value(route) !== '-'));
  const rows = ranked.map((route) => columns.map(({ value }) => value(route)));
  const [head = '', ...lines] = alignColumns([columns.map(({ title }) => title), ...rows], widthOf(out));
  return `${[paintFor(out)('bold', head), ...lines].join('\n')}\n`;
}

interface Column {
  readonly title: string;
  /** Shown although no route has a value. */
  readonly always: boolean;
  readonly value: (route: RankedRoute) => string;
}

/** A dash where a route asks nothing. */
const COLUMNS: readonly Column[] = [
  { title: 'RANK', always: true, value: ({ rank }) => String(rank) },
  { title: 'ID', always: true, value: ({ id }) => id },
  { title: 'PRIORITY', always: false, value: ({ priority }) => (priority === null ? '-' : String(priority)) },
  { title: 'HOST', always: false, value: ({ host }) => host ?? '-' },
  { title: 'PATH', always: true, value: ({ path }) => path },
  { title: 'METHODS', always: true, value: ({ methods }) => methods?.join(',') ?? '-' },
  { title: 'MATCH', always: false, value: ({ match }) => describeMatch(match) },
  { title: 'MIDDLEWARE', always: false, value: ({ middleware }) => middleware.join(',') || '-' },
  { title: 'BACKEND', always: true, value: ({ backend }) => backend },
  { title: 'TIMEOUT', always: false, value: ({ timeoutMs }) => (timeoutMs === null ? '-' : formatDuration(timeoutMs)) },
];

function describeMatch({ headers, query }: RankedRoute['match']): string {
  const written = (mark: string, predicates: typeof headers) =>
    Object.entries(predicates).map(([name, value]) => (value === true ? `${mark}${name}` : `${mark}${name}=${value}`));
  return [...written('', headers), ...written('?', query)].join(' ') || '-';
}
