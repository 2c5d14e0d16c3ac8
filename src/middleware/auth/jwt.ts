import type { MiddlewareContext } from '../middleware-context.ts';
import type { JwtOptions } from './jwt/claim-rules.ts';
import { JwtScheme } from './jwt/jwt-scheme.ts';
import type { AuthScheme } from './scheme.ts';
import { sharedScheme } from './shared-schemes.ts';

/** With other options, or other keys, it is another scheme, which knows nothing of the old tokens. */
export function jwt(options: JwtOptions, context: MiddlewareContext): AuthScheme {
  return sharedScheme(context.keySets, `jwt ${JSON.stringify(options)}`, () => new JwtScheme(options, context));
}
