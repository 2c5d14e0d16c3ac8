/** What of a query string may be written down. */
export type QueryPolicy = 'none' | 'masked' | 'full';

const SLASH = 0x2f;

/** What stands in the place of a secret. */
const MASK = '***';

/** Names of parameters that tend to carry secrets, after everything but letters and digits is taken out of them. */
const SECRET_NAME = /key|token|secret|pass|pwd|auth|cred|sig|session|sid$|jwt|saml|code|otp|ticket|nonce|state/;

/** The part of a request target or URL before its query and fragment, without user and password. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  const path = withoutFragment(query === -1 ? target : target.slice(0, query));
  const isPath = path.charCodeAt(0) === SLASH && path.charCodeAt(1) !== SLASH;
  return isPath ? path : withoutCredentials(path);
}

/** The query of a request target or URL as `policy` lets it be seen, with its `?`; empty when there is nothing to see. */
export function queryOf(target: string, policy: QueryPolicy): string {
  if (policy === 'none') return '';
  const at = target.indexOf('?');
  if (at === -1) return '';
  const query = withoutFragment(target.slice(at));
  return policy === 'full' ? query : `?${maskedQuery(query.slice(1))}`;
}

/**
 * Every value whose parameter has a telling name is replaced. A piece without a name is replaced too: `?eyJhbGciOi...` is a
 * token, and nothing says that it is not one.
 */
function maskedQuery(query: string): string {
  return query.replace(/[^&;]+/g, (piece) => {
    const equals = piece.indexOf('=');
    if (equals === -1) return MASK;
    const name = piece.slice(0, equals);
    return isSecretName(name) ? `${name}=${MASK}` : piece;
  });
}

function isSecretName(name: string): boolean {
  const plain = decoded(name)
    ?.toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  return plain === undefined || SECRET_NAME.test(plain);
}

/** Undefined when the percent-encoding is broken: nobody knows what the upstream makes of such a name. */
function decoded(name: string): string | undefined {
  if (!name.includes('%')) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

/** A fragment never goes over the wire in an honest request; tokens in it are what it is known for. */
function withoutFragment(text: string): string {
  const at = text.indexOf('#');
  return at === -1 ? text : text.slice(0, at);
}

/** With a scheme or without, as CONNECT has it, or wrong in some other way: nothing up to the last `@` of the authority is shown. */
function withoutCredentials(url: string): string {
  return url.includes('@') ? url.replace(/^((?:[a-z][a-z0-9+.-]*:)?\/\/)?[^/]*@/i, '$1') : url;
}
