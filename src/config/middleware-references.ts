import { type ConfigNode, childOf, isTrue, itemsOf, type Path, type ScalarNode, visitScalars } from './config-node.ts';
import { errorAt, type Finding, missingKey, warningAt } from './finding.ts';
import { PLACEHOLDER_OF_PATH } from './placeholders.ts';
import type { BuiltIn } from './schema/middleware/block.ts';

/*
 * What the options of one middleware mean for each other: the block that a kind of authentication needs, keys that fit
 * the algorithm, options of which only one makes sense. Values of the wrong type are left to the schema.
 */

type Check = (block: ConfigNode, path: Path) => readonly Finding[];

const CHECKS: { readonly [N in BuiltIn]?: Check } = {
  authentication: checkAuthentication,
  cors: checkCors,
  respond: (block, path) => atMostOne(block, path, ['body', 'body_file']),
  rewrite: (block, path) => atMostOne(block, path, ['replace_prefix', 'path', 'regex']),
};

/** The errors in the options of a middleware, and the warnings about them. */
export function checkBlock(name: BuiltIn, block: ConfigNode, path: Path): readonly Finding[] {
  return CHECKS[name]?.(block, path) ?? [];
}

const AUTH_TYPES = ['jwt', 'api_key', 'basic'] as const;

function checkAuthentication(block: ConfigNode, path: Path): readonly Finding[] {
  const type = textOf(childOf(block, 'auth_type'));
  const jwt = childOf(block, 'jwt');
  return [
    ...checkType(block, path, type),
    ...(jwt?.kind === 'mapping' ? checkJwt(jwt, [...path, 'jwt']) : []),
    ...noCredentials(childOf(block, 'api_key'), [...path, 'api_key'], ['keys', 'consumers']),
    ...noCredentials(childOf(block, 'basic'), [...path, 'basic'], ['users', 'htpasswd']),
  ];
}

function checkType(block: ConfigNode, path: Path, type: string | null): readonly Finding[] {
  if (type === 'any') {
    const present = AUTH_TYPES.filter((each) => childOf(block, each) !== null);
    return present.length > 0
      ? []
      : [missingKey(block, [...path, 'jwt'], 'a block for at least one way: jwt, api_key, basic')];
  }
  const known = AUTH_TYPES.find((each) => each === type);
  if (known === undefined) return [];
  if (childOf(block, known) === null)
    return [missingKey(block, [...path, known], `the options of auth_type "${known}"`)];
  return AUTH_TYPES.filter((each) => each !== known).flatMap((other) => {
    const node = childOf(block, other);
    const message = `Nothing uses ${[...path, other].join('.')}: auth_type is "${known}"; "any" takes every way`;
    return node === null ? [] : [warningAt('no-effect', firstCharacter(node), [...path, other], message)];
  });
}

const KEY_SOURCES = ['secret', 'public_key', 'jwks_url'] as const;

function checkJwt(jwt: ConfigNode, path: Path): readonly Finding[] {
  const sources = KEY_SOURCES.filter((source) => childOf(jwt, source) !== null);
  const [source] = sources;
  if (source === undefined)
    return [missingKey(jwt, [...path, 'secret'], 'where keys come from: secret, public_key or jwks_url')];
  const conflicts = [...atMostOne(jwt, path, KEY_SOURCES), ...atMostOne(jwt, path, ['algorithm', 'algorithms'])];
  if (conflicts.length > 0) return conflicts;
  const single = childOf(jwt, 'algorithm');
  const algorithms = single === null ? itemsOf(childOf(jwt, 'algorithms')) : [single];
  if (algorithms.length === 0 && source !== 'secret') {
    return [missingKey(jwt, [...path, 'algorithms'], `the algorithms to believe, such as ["RS256"], beside ${source}`)];
  }
  return algorithms.flatMap((node) => misfit(node, source, [...path, single === null ? 'algorithms' : 'algorithm']));
}

/** A public key taken for a shared secret would let everybody sign who can read it. */
function misfit(node: ConfigNode, source: string, path: Path): readonly Finding[] {
  const algorithm = textOf(node);
  if (algorithm === null || !/^(?:HS|RS|PS|ES)\d{3}$|^EdDSA$/.test(algorithm)) return [];
  const isShared = algorithm.startsWith('HS');
  if (isShared === (source === 'secret')) return [];
  const wanted = isShared ? 'an algorithm with public keys, such as RS256' : 'HS256, HS384 or HS512';
  const message = `Cannot use ${algorithm} with ${source}: want ${wanted}`;
  return [{ ...errorAt('bad-value', node.span, path, message), wanted, found: `"${algorithm}"` }];
}

function noCredentials(block: ConfigNode | null, path: Path, keys: readonly string[]): readonly Finding[] {
  if (block?.kind !== 'mapping' || keys.some((key) => childOf(block, key) !== null)) return [];
  const message = `Nobody passes ${path.join('.')}: there is neither ${keys.join(' nor ')}`;
  return [warningAt('no-credentials', firstCharacter(block), path, message)];
}

function checkCors(block: ConfigNode, path: Path): readonly Finding[] {
  const credentials = childOf(block, 'allow_credentials');
  const every = itemsOf(childOf(block, 'allowed_origins')).find((node) => textOf(node) === '*');
  if (!isTrue(credentials) || every === undefined) return [];
  const message = 'Browsers refuse allowed_origins "*" together with allow_credentials: want the origins by name';
  return [warningAt('open-credentials', every.span, [...path, 'allowed_origins'], message)];
}

/** What refers to the route: placeholders of its path. */
export function checkInRoute(options: ConfigNode, route: ConfigNode, path: Path): readonly Finding[] {
  const pattern = textOf(childOf(route, 'path'));
  if (pattern === null || !/^[/^]/.test(pattern)) return [];
  const names = pattern.startsWith('^')
    ? [...pattern.matchAll(/\(\?<([A-Za-z_]\w*)>/g)].map(([, name]) => name)
    : [...pattern.matchAll(/\{([^{}/]*)\}/g)].map(([, name]) => name);
  const findings: Finding[] = [];
  visitScalars(options, (node) => {
    for (const [, name] of (textOf(node) ?? '').matchAll(PLACEHOLDER_OF_PATH)) {
      if (!names.includes(name)) findings.push(noSuchParameter(node, String(name), pattern, path));
    }
  });
  return findings;
}

function noSuchParameter(node: ScalarNode, name: string, pattern: string, path: Path): Finding {
  const wanted = `a parameter of ${JSON.stringify(pattern)}`;
  const message = `Cannot use {path.${name}} here: want ${wanted}`;
  return { ...errorAt('bad-value', node.span, path, message), wanted, found: `"{path.${name}}"` };
}

function atMostOne(block: ConfigNode, path: Path, keys: readonly string[]): readonly Finding[] {
  const present = keys.filter((key) => childOf(block, key) !== null);
  return present.slice(1).flatMap((key) => {
    const node = childOf(block, key);
    const message = `Cannot use ${[...path, key].join('.')} beside ${present[0]}: want one of them`;
    return node === null ? [] : [errorAt('conflict', firstCharacter(node), [...path, key], message)];
  });
}

function firstCharacter(node: ConfigNode): ConfigNode['span'] {
  return node.kind === 'scalar' ? node.span : { start: node.span.start, end: node.span.start + 1 };
}

function textOf(node: ConfigNode | null): string | null {
  const isText = node?.kind === 'scalar' && typeof node.value === 'string' && node.origin !== 'unresolved';
  return isText ? String(node.value) : null;
}
