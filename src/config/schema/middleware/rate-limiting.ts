import { z } from 'zod';
import { cookieName, headerName, parameterName } from '../../http-option-types.ts';
import { flag, listOf, printableText, wholeNumber } from '../../option-types.ts';

const keyWanted = '"ip", "consumer", "header:NAME", "query:NAME", "cookie:NAME", or a mapping such as {header: NAME}';

/** What a limit counts by. */
export type LimitKey =
  | { readonly kind: 'ip' | 'consumer' }
  | { readonly kind: 'header' | 'query' | 'cookie'; readonly name: string };

const keyText = z
  .string({ error: keyWanted })
  .regex(/^(?:ip|consumer|(?:header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+|query:.+)$/, { error: keyWanted })
  .meta({ examples: ['ip', 'header:X-API-Key', 'consumer'] })
  .transform((text): LimitKey => {
    const [kind, name = ''] = text.split(/:(.*)/, 2);
    if (kind === 'header') return { kind, name: name.toLowerCase() };
    // Sound: the pattern above lets nothing else pass.
    return kind === 'query' || kind === 'cookie' ? { kind, name } : { kind: kind as 'ip' | 'consumer' };
  });

const keyMapping = z
  .union(
    [
      z.strictObject({ header: headerName().describe('The header to count by.') }),
      z.strictObject({ query_param: parameterName().describe('The query parameter to count by.') }),
      z.strictObject({ cookie: cookieName().describe('The cookie to count by.') }),
    ],
    { error: keyWanted },
  )
  .transform((named): LimitKey => {
    if ('header' in named) return { kind: 'header', name: named.header };
    return 'cookie' in named ? { kind: 'cookie', name: named.cookie } : { kind: 'query', name: named.query_param };
  });

const limitOptions = {
  burst: wholeNumber(1, 1_000_000_000)
    .describe('How many requests may come at once; by default twice requests_per_second.')
    .optional(),
  key: z
    .union([keyText, keyMapping], { error: keyWanted })
    .describe(
      `What is counted by: ${keyWanted}. A request without it, or with two of it, counts by the client's address.`,
    )
    .prefault('ip'),
  dry_run: flag()
    .describe('Whether what is over the limit is only counted, not refused; beside limits it stands for all of them.')
    .prefault(false),
};

const rateWanted = 'a number above 0 and up to 10000000';
const rate = z
  .number({ error: rateWanted })
  .gt(0, { error: rateWanted })
  .max(10_000_000, { error: rateWanted })
  .describe('How many requests may come per second in the long run; a fraction is fine (0.1 is one in ten seconds).');

const limit = z.strictObject({
  name: printableText().describe('Name of the limit in RateLimit-Policy; by default its place.').optional(),
  requests_per_second: rate,
  ...limitOptions,
});

const anotherNameWanted = 'a name that no other limit has';
const oneLimitWanted = 'a number above 0, or limits';

export const rateLimiting = z
  .strictObject({
    requests_per_second: rate.optional(),
    ...limitOptions,
    limits: listOf(limit, 'limits')
      .describe('Several limits at once; a request has to be within all of them.')
      .optional(),
    ipv6_prefix: wholeNumber(32, 128)
      .describe('IPv6 addresses that agree in so many bits count as one client.')
      .prefault(64),
    max_keys: wholeNumber(1024, 100_000_000)
      .describe(
        'How many keys each limit counts apart, as long as their buckets are not full; what finds no room is counted together.',
      )
      .prefault(100_000),
  })
  .superRefine((value, context) => {
    for (const [index, { name }] of (value.limits ?? []).entries()) {
      const isTaken = name !== undefined && value.limits?.findIndex((each) => each.name === name) !== index;
      const path = ['limits', index, 'name'];
      if (isTaken) context.issues.push({ code: 'custom', path, message: anotherNameWanted, input: undefined });
    }
    if (value.requests_per_second !== undefined || value.limits !== undefined) return;
    context.issues.push({ code: 'custom', path: ['requests_per_second'], message: oneLimitWanted, input: undefined });
  })
  .describe('Limits how many requests a client may send (token buckets); more get 429.');
