import { FieldGroup } from '../base/field-group.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Middleware } from '../pipeline/middleware.ts';

type Options = BuiltInOptions['headers'];

/** A field that is added where the upstream has not set it. */
interface Default {
  readonly lowerCaseName: string;
  readonly field: FieldGroup;
}

/** Tells browsers to be careful. What an upstream sets itself stays. */
export function securityHeaders(options: Options): readonly Middleware[] {
  const always = defaultsOf(options);
  const hsts = hstsOf(options);

  function addHeaders(exchange: ExchangeContext): void {
    for (const each of always) addDefault(exchange, each);
    // RFC 6797 7.2: not over plain HTTP, where nobody could trust it.
    if (hsts !== null && exchange.cameSecurely) addDefault(exchange, hsts);
  }

  return [{ name: 'headers', stage: 'headers', onResponse: addHeaders }];
}

function addDefault({ reply }: ExchangeContext, { lowerCaseName, field }: Default): void {
  if (reply.source?.combinedValue(lowerCaseName) === undefined) reply.additions.addGroup(field);
}

function defaultsOf(options: Options): readonly Default[] {
  const isSecurity = options.preset === 'security';
  const frame = options.frame_options ?? (isSecurity ? 'SAMEORIGIN' : 'off');
  const referrer = options.referrer_policy ?? (isSecurity ? 'strict-origin-when-cross-origin' : 'off');
  return [
    ...defaultOf('X-Content-Type-Options', (options.nosniff ?? isSecurity) ? 'nosniff' : 'off'),
    ...defaultOf('X-Frame-Options', frame),
    ...defaultOf('Referrer-Policy', referrer),
    ...defaultOf('Content-Security-Policy', options.content_security_policy ?? 'off'),
    ...defaultOf('Permissions-Policy', options.permissions_policy ?? 'off'),
  ];
}

function defaultOf(name: string, value: string): readonly Default[] {
  return value === 'off' ? [] : [{ lowerCaseName: name.toLowerCase(), field: new FieldGroup([[name, value]]) }];
}

function hstsOf({ preset, hsts }: Options): Default | null {
  if (hsts === undefined && preset !== 'security') return null;
  const { max_age: maxAgeMs = DEFAULT_HSTS_MS, include_subdomains: subdomains = true, preload = false } = hsts ?? {};
  const flags = `${subdomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
  const [only] = defaultOf('Strict-Transport-Security', `max-age=${Math.floor(maxAgeMs / 1000)}${flags}`);
  return only ?? null;
}

const DEFAULT_HSTS_MS = 365 * 86_400_000;
