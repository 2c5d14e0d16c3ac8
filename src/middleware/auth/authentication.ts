import { PhotonError } from '../../base/errors.ts';
import { FieldGroup } from '../../base/field-group.ts';
import type { BuiltInOptions } from '../../config/schema/middleware/block.ts';
import type { ExchangeContext } from '../../pipeline/exchange-context.ts';
import type { Middleware, Verdict } from '../../pipeline/middleware.ts';
import type { MiddlewareContext } from '../middleware-context.ts';
import { apiKey } from './api-key.ts';
import { basic } from './basic.ts';
import { jwt } from './jwt.ts';
import { type Attempt, type AuthScheme, Refusal } from './scheme.ts';

type Options = BuiltInOptions['authentication'];
type SchemeName = Exclude<Options['auth_type'], 'any'>;

/** The ways to show who one is, in the order in which "any" looks for them; one line each. */
const SCHEMES: {
  readonly [N in SchemeName]?: (options: NonNullable<Options[N]>, context: MiddlewareContext) => AuthScheme;
} = { jwt, api_key: apiKey, basic };

/** Lets those pass that show who they are, in one of the ways that the options name. */
export function authentication(options: Options, context: MiddlewareContext): readonly Middleware[] {
  return [authenticateBy(schemesOf(options, context))];
}

function schemesOf(options: Options, context: MiddlewareContext): readonly AuthScheme[] {
  return (Object.keys(SCHEMES) as SchemeName[]).flatMap((name) => {
    const own = options[name];
    const create = SCHEMES[name];
    if (own === undefined || create === undefined) return [];
    // Sound: the options are those of the name.
    return options.auth_type === 'any' || options.auth_type === name ? [create(own as never, context)] : [];
  });
}

/**
 * The first scheme that finds credentials of its kind decides. Where they do not hold the others are not asked: who shows two
 * things at once would be whom the weaker of them names, and could try both for the price of one request.
 */
export function authenticateBy(schemes: readonly AuthScheme[]): Middleware {
  const nothingShown = refused('This wants credentials.', challenges(schemes));
  /** The refusal of last time: most are alike. */
  let lastRefusal: Refusal | null = null;
  let lastError = nothingShown;

  function authenticate(exchange: ExchangeContext): Verdict | Promise<Verdict> {
    for (const scheme of schemes) {
      const attempt = scheme.attempt(exchange);
      if (attempt instanceof Promise) return judgeLater(exchange, scheme, attempt);
      if (attempt !== null) return judge(exchange, scheme, attempt);
    }
    return nothingShown;
  }

  function judge(exchange: ExchangeContext, scheme: AuthScheme, attempt: Exclude<Attempt, null>): Verdict {
    if (attempt instanceof Refusal) return refusedBy(scheme, attempt);
    for (const each of schemes) each.hide(exchange);
    exchange.consumer = attempt.consumer;
    if (attempt.fields !== null) exchange.requestAdditions.addGroup(attempt.fields);
    return undefined;
  }

  /** Why credentials do not hold is told to nobody: it would help those who guess. */
  function refusedBy(scheme: AuthScheme, refusal: Refusal): PhotonError {
    if (refusal !== lastRefusal) {
      lastError = refused('The credentials do not hold.', challenges(schemes, scheme, refusal));
      lastRefusal = refusal;
    }
    return lastError;
  }

  /** By then the exchange may be used for another request: its use count shows that. A request that has to wait had credentials. */
  async function judgeLater(
    exchange: ExchangeContext,
    scheme: AuthScheme,
    promise: Promise<Attempt>,
  ): Promise<Verdict> {
    const { useCount } = exchange;
    const attempt = (await promise) ?? new Refusal(scheme.challenge);
    return exchange.useCount === useCount ? judge(exchange, scheme, attempt) : undefined;
  }

  const requestDrops = schemes.flatMap((scheme) => scheme.requestDrops);
  return { name: 'authentication', stage: 'authentication', requestDrops, onRequest: authenticate };
}

const refused = (detail: string, fields: FieldGroup): PhotonError => new PhotonError('unauthorized', detail, fields);

/** RFC 9110 11.6.1: every way that would do, each in a field line of its own, which more clients read than a list in one. */
function challenges(schemes: readonly AuthScheme[], refusing?: AuthScheme, refusal?: Refusal): FieldGroup {
  const values = schemes.map((scheme) => (scheme === refusing && refusal ? refusal.challenge : scheme.challenge));
  return new FieldGroup(values.map((value) => ['WWW-Authenticate', value]));
}
