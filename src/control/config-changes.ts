import { isDeepStrictEqual } from 'node:util';
import { isSameText, readSharedText, type SharedTexts } from '../memory/shared-texts.ts';
import type { CompiledConfig } from '../pipeline/compiled-config.ts';

/** Names of what came, went, and is different now. */
export interface Difference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** What one configuration has that another one had not. */
export interface ConfigChanges {
  /** By id. */
  readonly routes: Difference;
  /** `backend/address`. */
  readonly upstreams: Difference;
  /** How many upstreams are as they were, with connections and counts. */
  readonly upstreamsKept: number;
  /** Blocks of the file in which anything else is different, or the code that they name. */
  readonly blocks: readonly string[];
  /** Options that have changed and take effect with the next start. */
  readonly needRestart: readonly string[];
}

/** Both say the same, and so does the code that they name. */
export function isEquivalent(before: CompiledConfig, after: CompiledConfig): boolean {
  if (before.codeVersion !== after.codeVersion) return false;
  return sameTexts(before.routes, after.routes) && isDeepStrictEqual(before.config, after.config);
}

export function findChanges(before: CompiledConfig, after: CompiledConfig): ConfigChanges {
  const upstreams = compare(upstreamsOf(before), upstreamsOf(after));
  const { size } = upstreamsOf(after);
  const routes = sameTexts(before.routes, after.routes)
    ? { added: [], removed: [], changed: [] }
    : compareRoutes(before, after);
  return {
    routes,
    upstreams,
    upstreamsKept: size - upstreams.added.length - upstreams.changed.length,
    blocks: blocksOf(before, after),
    needRestart: findRestarts(before, after),
  };
}

function compare(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): Difference {
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after].flatMap(([name, value]) =>
      before.has(name) && !isDeepStrictEqual(before.get(name), value) ? [name] : [],
    ),
  };
}

/** By their bytes: reading ten thousand of them would hold up the control thread, and with it what it does for the others. */
function compareRoutes(before: CompiledConfig, after: CompiledConfig): Difference {
  const [earlier, later] = [numbersById(before), numbersById(after)];
  const differs = (id: string, number: number) => {
    const earlierNumber = earlier.get(id);
    return earlierNumber !== undefined && !isSameText(before.routes, earlierNumber, after.routes, number);
  };
  return {
    added: [...later.keys()].filter((id) => !earlier.has(id)),
    removed: [...earlier.keys()].filter((id) => !later.has(id)),
    changed: [...later].flatMap(([id, number]) => (differs(id, number) ? [id] : [])),
  };
}

function numbersById({ routeIds }: CompiledConfig): ReadonlyMap<string, number> {
  return new Map(Array.from(routeIds.ends, (_end, number) => [readSharedText(routeIds, number), number] as const));
}

function upstreamsOf({ config }: CompiledConfig): ReadonlyMap<string, unknown> {
  return new Map(
    config.backends.flatMap(({ name, upstreams }) =>
      upstreams.map((upstream) => [`${name}/${upstream.address}`, upstream] as const),
    ),
  );
}

const BLOCKS = {
  server: 'server',
  backends: 'load_balancing',
  resolver: 'load_balancing',
  metrics: 'metrics',
  accessLog: 'access_log',
  cache: 'cache',
  healthCheck: 'health_check',
  middleware: 'middleware',
} as const;

function blocksOf(before: CompiledConfig, after: CompiledConfig): readonly string[] {
  const keys = Object.keys(after.config) as (keyof typeof after.config)[];
  const different = keys.filter((key) => !isDeepStrictEqual(before.config[key], after.config[key]));
  const names = different.map((key) => (BLOCKS as Readonly<Record<string, string>>)[key] ?? key);
  const code = before.codeVersion === after.codeVersion ? [] : [BLOCKS.middleware];
  return [...new Set([...names, ...code])];
}

function findRestarts({ config: { server: before } }: CompiledConfig, { config }: CompiledConfig): readonly string[] {
  const { server: after } = config;
  return [
    ...(before.workers === after.workers ? [] : ['server.workers']),
    ...(before.upgradeSock === after.upgradeSock ? [] : ['server.upgrade_sock']),
    ...(before.pidFile === after.pidFile ? [] : ['server.pid_file']),
  ];
}

function sameTexts(one: SharedTexts, other: SharedTexts): boolean {
  return (
    one.ends.length === other.ends.length &&
    Buffer.compare(one.bytes, other.bytes) === 0 &&
    sameEnds(one.ends, other.ends)
  );
}

function sameEnds(one: Int32Array, other: Int32Array): boolean {
  return one.every((end, index) => end === other[index]);
}
