import type { MiddlewareDeps } from '../deps.ts';
import type { JwtOptions } from './jwt/claim-rules.ts';
import { JwtScheme } from './jwt/jwt-scheme.ts';
import type { AuthScheme } from './scheme.ts';
import { sharedScheme } from './shared-schemes.ts';

/** With other options, or other keys, it is another scheme, which knows nothing of the old tokens. */
export function jwt(options: JwtOptions, deps: MiddlewareDeps): AuthScheme {
  return sharedScheme(deps.keySets, `jwt ${JSON.stringify(options)}`, () => new JwtScheme(options, deps));
}
