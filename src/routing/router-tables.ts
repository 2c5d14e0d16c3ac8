import { type SharedTexts, shareTexts, shareTextsAgain } from '../memory/shared-texts.ts';
import { shareBytes, shareWords } from '../memory/shared-views.ts';
import { type MethodTable, tabulateMethods } from './method-table.ts';
import { predicatesOf, type RoutePredicates } from './predicates.ts';
import { groupEndsOf, type RankedRule, rankRules } from './ranking.ts';
import type { RouteRule } from './route-rule.ts';
import { TrieNode } from './trie.ts';
import { TrieWriter } from './trie-writer.ts';

/**
 * All that a `Router` needs, as plain data: `postMessage` shares the typed arrays and copies the little that is left.
 * Routes are known by their rank, 0 being the one to try first.
 */
export interface RouterTables {
  /** Tries, laid out as trie-writer.ts says. */
  readonly words: Int32Array;
  /** The trie of exact host names and the one of what follows the first label of wildcard hosts; they end in roots. */
  readonly exactHosts: number;
  readonly wildcardHosts: number;
  /** The root of the paths for every host. */
  readonly everyHost: number;
  readonly markCount: number;
  readonly methods: readonly string[];
  readonly methodTakes: Uint8Array;
  readonly predicates: readonly RoutePredicates[];
  readonly regexes: readonly string[];
  /** The patterns of all routes in the order of the configuration. */
  readonly patterns: SharedTexts;
}

/**
 * Ranks the routes and lays them out for look-up.
 * @throws Error for a pattern or host that cannot be read; the check of the configuration finds these first
 */
export function buildRouterTables(rules: readonly RouteRule[]): RouterTables {
  const ranked = rankRules(rules);
  const rankedRules = ranked.map(({ rule }) => rule);
  const methods = tabulateMethods(rankedRules);
  const predicates = rankedRules.map(predicatesOf);
  const regexes = ranked.map(({ pattern }) => (pattern.kind === 'regex' ? pattern.source : null));
  const entries = layOutEntries(ranked, methods, predicates, regexes);
  return {
    ...writeTries(ranked, entries),
    methods: methods.names,
    methodTakes: shareBytes(methods.takes),
    predicates: predicates.filter((entry) => entry !== null),
    regexes: regexes.filter((entry) => entry !== null),
    patterns: shareTexts(rules.map(({ path }) => path)),
  };
}

/** The same tables in memory that threads share, after they came from another process. */
export function shareTables(tables: RouterTables): RouterTables {
  const { words, methodTakes, patterns } = tables;
  return {
    ...tables,
    words: shareWords(words),
    methodTakes: shareBytes(methodTakes),
    patterns: shareTextsAgain(patterns),
  };
}

type Tries = Pick<RouterTables, 'words' | 'exactHosts' | 'wildcardHosts' | 'everyHost' | 'markCount'>;

/** One trie of paths for each host, and two of hosts that end in the roots of those. */
function writeTries(ranked: readonly RankedRule[], entries: readonly (readonly number[])[]): Tries {
  const exact = new Map<string, TrieNode>();
  const wildcard = new Map<string, TrieNode>();
  const every = new TrieNode();
  for (const [rank, { host, pattern }] of ranked.entries()) {
    if (host.kind === 'exact') rootFor(exact, host.name).add(pattern, rank);
    else if (host.kind === 'wildcard') rootFor(wildcard, host.suffix).add(pattern, rank);
    else every.add(pattern, rank);
  }
  const writer = new TrieWriter();
  const writePaths = (root: TrieNode) => writer.writePaths(root, (rank) => entries[rank] as readonly number[]);
  const writeHosts = (roots: ReadonlyMap<string, TrieNode>) => {
    const hosts = new TrieNode();
    for (const [host, root] of roots) hosts.literalNode(host).ends.push(writePaths(root));
    return writer.writeHosts(hosts);
  };
  const everyHost = writePaths(every);
  const exactHosts = writeHosts(exact);
  const wildcardHosts = writeHosts(wildcard);
  return { words: writer.toSharedWords(), exactHosts, wildcardHosts, everyHost, markCount: writer.markCount };
}

function rootFor(roots: Map<string, TrieNode>, host: string): TrieNode {
  const root = roots.get(host) ?? new TrieNode();
  roots.set(host, root);
  return root;
}

/** For each rank the words of its entry, in the order that trie-writer.ts gives. */
function layOutEntries(
  ranked: readonly RankedRule[],
  methods: MethodTable,
  predicates: readonly (RoutePredicates | null)[],
  regexes: readonly (string | null)[],
): (readonly number[])[] {
  const groupEnds = groupEndsOf(ranked);
  const methodColumns = methods.names.length + 1;
  let predicateCount = 0;
  let regexCount = 0;
  return ranked.map(({ index }, rank) => [
    rank,
    groupEnds[rank] as number,
    (methods.listOfRank[rank] as number) * methodColumns,
    predicates[rank] === null ? -1 : predicateCount++,
    regexes[rank] === null ? -1 : regexCount++,
    index,
  ]);
}
