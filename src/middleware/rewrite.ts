import { PhotonError } from '../base/errors.ts';
import { utf8Bytes } from '../base/latin1.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import { withoutParameter } from '../http/query.ts';
import { normalisePath } from '../http/target.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Middleware } from '../pipeline/middleware.ts';
import { withoutPrefix } from '../pipeline/outgoing-target.ts';
import { compilePathTemplate, compileQueryTemplate, percentEncoded, type Template } from './template.ts';

type Options = BuiltInOptions['rewrite'];
type QueryOptions = Options['query'];

/** What becomes of a path (without its query). */
type PathChange = (path: string, exchange: ExchangeContext) => string;

/** Changes path and query before they go upstream. Where `strip_prefix` takes something off, it does so first. */
export function rewrite(options: Options): readonly Middleware[] {
  const changePath = pathChange(options);
  const changeQuery = new QueryChange(options.query);

  function changeTarget(exchange: ExchangeContext): undefined {
    const { outgoingTarget } = exchange;
    const mark = outgoingTarget.indexOf('?');
    const path = mark === -1 ? outgoingTarget : outgoingTarget.slice(0, mark);
    const query = mark === -1 ? '' : outgoingTarget.slice(mark);
    exchange.outgoingTarget = changeQuery.applyTo(normal(changePath(path, exchange), path, exchange) + query, exchange);
  }

  return [{ name: 'rewrite', stage: 'rewrite', onRequest: changeTarget }];
}

/**
 * What is put together from pieces of a normal path need not be one. Throws PhotonError bad_target where a dot segment has come about: nobody
 * means `/files/$1` to lead out of `/files`.
 */
function normal(path: string, before: string, { generation }: ExchangeContext): string {
  if (path === before) return path;
  if (DOT_SEGMENT.test(path)) throw new PhotonError('bad_target', 'The path is rewritten to one with a dot segment.');
  return normalisePath(path, generation?.mergeSlashes ?? true);
}

/** RFC 3986 3.3, percent-encoded or not. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

function pathChange({ replace_prefix: prefix, path, regex }: Options): PathChange {
  if (prefix !== undefined) return replacePrefix(prefix.from, prefix.to);
  if (path !== undefined) return replaceWhole(compilePathTemplate(path));
  return regex === undefined ? (unchanged) => unchanged : replacePart(new RegExp(regex.pattern), regex.replacement);
}

function replacePrefix(from: string, to: string): PathChange {
  const start = to.endsWith('/') ? to.slice(0, -1) : to;
  return (path) => {
    const rest = withoutPrefix(path, from);
    if (rest === path && from !== '/') return path;
    return rest === '/' ? to : start + rest;
  };
}

function replaceWhole(template: Template): PathChange {
  return (_path, exchange) => template(exchange);
}

/** The first match only, as without the flag `g`. What does not begin with a slash gets one. */
function replacePart(pattern: RegExp, replacement: string): PathChange {
  return (path) => {
    const replaced = path.replace(pattern, replacement);
    return replaced.startsWith('/') ? replaced : `/${replaced}`;
  };
}

class QueryChange {
  /** Names as bytes. */
  readonly #removed: readonly string[];
  readonly #added: readonly (readonly [name: string, value: Template])[];

  constructor({ remove, set, add }: QueryOptions) {
    this.#removed = [...remove, ...Object.keys(set)].map(utf8Bytes);
    this.#added = [...Object.entries(set), ...Object.entries(add)].map(([name, value]) => [
      percentEncoded(name),
      compileQueryTemplate(value),
    ]);
  }

  applyTo(target: string, exchange: ExchangeContext): string {
    let changed = target;
    for (const name of this.#removed) changed = withoutParameter(changed, name);
    for (const [name, value] of this.#added) {
      changed += `${changed.includes('?') ? '&' : '?'}${name}=${value(exchange)}`;
    }
    return changed;
  }
}
