import type { RouteRule } from './route-rule.ts';

/** Which methods each distinct list of methods takes. */
export interface MethodTable {
  /** The methods that some route names, sorted; HEAD too where GET is named. */
  readonly names: readonly string[];
  /** For each rank the number of its list. */
  readonly listOfRank: readonly number[];
  /** A row per list, a column per name and a last one for every other method; 1 where the list takes the method. */
  readonly takes: readonly number[];
}

export function tabulateMethods(rules: readonly RouteRule[]): MethodTable {
  const lists = rules.map(({ methods }) => (methods === null ? null : withHead(methods)));
  const names = [...new Set(lists.flatMap((list) => list ?? []))].sort();
  const numbers = new Map<string, number>();
  const takes: number[] = [];
  const listOfRank = lists.map((list) => {
    const key = list === null ? '' : list.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    takes.push(...names.map((name) => Number(list === null || list.includes(name))), Number(list === null));
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  });
  return { names, listOfRank, takes };
}

/** RFC 9110 9.3.2: HEAD is GET without the content, so a route that takes GET takes HEAD. */
function withHead(methods: readonly string[]): readonly string[] {
  return [...new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)].sort();
}
