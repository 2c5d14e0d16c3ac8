/** A run as text for people, or as JSON. */
import type { Case, Metric, Sample } from './bench.ts';
import type { Entrant, Run } from './run.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** How two entrants, one of which is the first, compare in one figure, round by round. */
interface Ratio {
  readonly metric: string;
  readonly of: string;
  readonly to: string;
  readonly spread: Spread;
}

function ratiosOf(run: Run, { compared, othersByFirst = false }: Case): Ratio[] {
  const [first, ...others] = run.entrants;
  if (first === undefined) return [];
  const pairs = others.map((other) => (othersByFirst ? ([other, first] as const) : ([first, other] as const)));
  return pairs.flatMap(([of, to]) =>
    compared.map((metric) => ({ metric, of: of.name, to: to.name, spread: ratioOf(of, to, metric) })),
  );
}

function ratioOf(of: Entrant, to: Entrant, metric: string): Spread {
  return spreadOf(of.rounds.map((sample, round) => figure(sample, metric) / figure(to.rounds[round], metric)));
}

function figure(sample: Sample | undefined, metric: string): number {
  return sample?.[metric] ?? Number.NaN;
}

function spreadsOf(entrant: Entrant, metrics: readonly Metric[]): Record<string, Spread> {
  return Object.fromEntries(
    metrics.map(({ key }) => [key, spreadOf(entrant.rounds.map((sample) => figure(sample, key)))]),
  );
}

/** Every figure as it was measured: microseconds, bytes, calls per request. */
export function formatJson(chosen: Case, run: Run): string {
  const entrants = run.entrants.map((entrant) => ({ ...entrant, summary: spreadsOf(entrant, chosen.metrics) }));
  return `${JSON.stringify({ ...run, entrants, ratios: ratiosOf(run, chosen) }, null, 2)}\n`;
}

export function formatText(chosen: Case, run: Run): string {
  const { machine } = run;
  const sections = [
    `${chosen.name}: ${chosen.about}`,
    `${machine.processor}, Linux ${machine.kernel}; gateways on core ${machine.gatewayCore}, load and origin on core ${machine.loadCore}`,
    `${run.entrants.map(({ version }) => version).join('; ')}; origin ${run.origin}`,
    `rounds: ${run.rounds}, seconds: ${run.seconds}; median (lowest..highest)`,
    ...run.missing.map((name) => `${name} is not installed and left out`),
    '',
    figureTable(chosen.metrics, run),
    ...ratioTable(chosen, run),
    ...systemCallTable(run),
    ...profileTable(run),
  ];
  return `${sections.join('\n')}\n`;
}

function figureTable(metrics: readonly Metric[], run: Run): string {
  const spreads = run.entrants.map((entrant) => spreadsOf(entrant, metrics));
  const rows = metrics.map((metric) => [
    metric.title,
    ...spreads.map((spread) => formatSpread(spread[metric.key] as Spread, metric)),
  ]);
  return formatTable([['', ...run.entrants.map(({ name }) => name)], ...rows]);
}

function ratioTable(chosen: Case, run: Run): string[] {
  const ratios = ratiosOf(run, chosen);
  if (ratios.length === 0) return [];
  const pairs = Map.groupBy(ratios, ({ of, to }) => `${of} / ${to}`);
  const rows = chosen.compared.map((metric) => [
    chosen.metrics.find(({ key }) => key === metric)?.title ?? metric,
    ...pairs.values().map((pair) => formatRatio(pair.find((ratio) => ratio.metric === metric))),
  ]);
  return ['', formatTable([['ratio by round', ...pairs.keys()], ...rows])];
}

function formatRatio(ratio: Ratio | undefined): string {
  return ratio === undefined ? '-' : formatSpread(ratio.spread, { key: ratio.metric, title: '', digits: 2 });
}

function systemCallTable(run: Run): string[] {
  const counted = run.entrants.filter(({ systemCalls }) => systemCalls !== null);
  if (counted.length === 0) return [];
  const names = new Set(counted.flatMap(({ systemCalls }) => Object.keys(systemCalls?.byName ?? {})));
  const rows = [...names].map((name) => [
    name,
    ...counted.map(({ systemCalls }) => systemCalls?.byName[name]?.toFixed(3) ?? '-'),
  ]);
  const data = ['reads and writes', ...counted.map(({ systemCalls }) => systemCalls?.dataPerRequest.toFixed(3) ?? '-')];
  return ['', formatTable([['system calls/request', ...counted.map(({ name }) => name)], data, ...rows])];
}

function profileTable(run: Run): string[] {
  if (run.profile === null) return [];
  const rows = run.profile.map(({ where, percent }) => [where, percent.toFixed(1)]);
  return ['', 'Figures above were taken under the profiler.', formatTable([['self time of the worker', '%'], ...rows])];
}

function formatSpread({ median, min, max }: Spread, { digits, scale = 1 }: Metric): string {
  const [middle, low, high] = [median, min, max].map((value) => (value / scale).toFixed(digits));
  return low === high ? `${middle}` : `${middle} (${low}..${high})`;
}

/** The first column to the left, figures to the right. */
function formatTable(rows: readonly (readonly string[])[]): string {
  return formatColumns(rows, (cell, width, column) => (column === 0 ? cell.padEnd(width) : cell.padStart(width)));
}

/** Columns as wide as their widest cell, all to the left unless `align` says otherwise. */
export function formatColumns(
  rows: readonly (readonly string[])[],
  align: (cell: string, width: number, column: number) => string = (cell, width) => cell.padEnd(width),
): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => row.map((cell, column) => align(cell, widths[column] ?? 0, column)).join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}
