import { parseAuthority } from '../http/authority.ts';

export type HostPattern =
  | { readonly kind: 'exact'; readonly name: string }
  /** `suffix` starts with the dot after the label that may be anything. */
  | { readonly kind: 'wildcard'; readonly suffix: string }
  | { readonly kind: 'every' };

/**
 * Reads the host of a route: a name, or `*.` and a name, which stands for exactly one label more.
 * @throws Error saying what is wrong
 */
export function parseHostPattern(text: string | null): HostPattern {
  if (text === null) return { kind: 'every' };
  const isWildcard = text.startsWith('*.');
  const { host, port } = parseAuthority(isWildcard ? text.slice(2) : text);
  if (port !== null || text.endsWith(':')) throw new SyntaxError('want a host without a port: routes ignore the port');
  if (host.includes('*')) throw new SyntaxError('want "*" as the whole first label, and nowhere else');
  if (isWildcard && host.startsWith('[')) throw new SyntaxError('an address has no labels to stand in for');
  return isWildcard ? { kind: 'wildcard', suffix: `.${host}` } : { kind: 'exact', name: host };
}
