import { z } from 'zod';
import { SIGNATURE_ALGORITHMS } from '../../../base/signature-algorithm.ts';
import { dropName } from '../../../http/field-drops.ts';
import { OWN_REQUEST_FIELDS } from '../../../http/own-fields.ts';
import { changeableHeaderName, cookieName, headerName, httpUrl, parameterName } from '../../http-option-types.ts';
import { durationOrZero, flag, listOf, MAX_TIMER_MS, oneOf, oneOrMore, printableText } from '../../option-types.ts';

const algorithm = () => oneOf(SIGNATURE_ALGORITHMS);

/** Fields that the gateway or the token has already: there would be two of them. */
const TAKEN = /^(?:forwarded|x-forwarded-.*|x-client-cert-.*|authorization|cookie)$/;

const forwardedName = () =>
  changeableHeaderName().refine((name) => !OWN_REQUEST_FIELDS.has(dropName(name)) && !TAKEN.test(dropName(name)), {
    error: 'a header that neither the gateway nor the token has already',
  });

/** Two claims in one header would be two fields, of which an upstream may read either. */
function requireOnce(headers: Readonly<Record<string, string>>, context: z.RefinementCtx): void {
  const claims = new Map<string, string>();
  for (const [claim, header] of Object.entries(headers)) {
    const other = claims.get(dropName(header));
    claims.set(dropName(header), claim);
    if (other === undefined) continue;
    const message = `a header that no other claim has, as "${other}" does`;
    context.issues.push({ code: 'custom', message, input: header, path: [claim] });
  }
}

const secretText = z.string({ error: 'a text' }).min(1, { error: 'a text, not empty' });

export const jwt = z
  .strictObject({
    algorithm: algorithm().describe('The only algorithm of signatures that is believed.').optional(),
    algorithms: listOf(algorithm(), 'algorithms')
      .describe('The algorithms of signatures that are believed; by default HS256 with a secret.')
      .optional(),
    secret: secretText.describe('The shared secret of HS256, HS384 and HS512.').optional(),
    public_key: secretText.describe('The public key of the issuer: a PEM file, or the PEM text itself.').optional(),
    jwks_url: httpUrl().describe('Where the issuer publishes its keys (JWKS).').optional(),
    issuer: oneOrMore(printableText(), 'the issuer of tokens')
      .describe('Who must have issued a token (iss); by default not looked at.')
      .optional(),
    audience: oneOrMore(printableText(), 'the audience of tokens')
      .describe('For whom a token must be (aud); by default not looked at.')
      .optional(),
    leeway: durationOrZero(MAX_TIMER_MS)
      .describe('How far the clocks of issuer and gateway may be apart.')
      .prefault('0s'),
    require_exp: flag().describe('Whether a token without an end (exp) is refused.').prefault(true),
    header: headerName()
      .describe('The header with the token, after "Bearer" in any case; by default Authorization.')
      .optional(),
    cookie: cookieName().describe('A cookie with the token.').optional(),
    query: parameterName().describe('A query parameter with the token; it shows in logs of others.').optional(),
    strip: flag().describe('Whether the token is taken out of what goes upstream.').prefault(false),
    consumer_claim: parameterName().describe('The claim that names the consumer.').prefault('sub'),
    forward_claims: z
      .record(parameterName(), forwardedName(), { error: 'a mapping of claims to header names' })
      .superRefine(requireOnce)
      .describe('Claims to send upstream, each with its header; what clients send there is removed.')
      .prefault({}),
  })
  .describe('Signed tokens (RFC 7519).');
