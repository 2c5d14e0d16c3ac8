import { z } from 'zod';
import { changeableHeaderName, cookieName, headerName, httpUrl, parameterName } from '../../http-option-types.ts';
import { durationOrZero, flag, listOf, MAX_TIMER_MS, oneOf, oneOrMore, printableText } from '../../option-types.ts';

const algorithm = () =>
  oneOf([
    'HS256',
    'HS384',
    'HS512',
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
  ]);

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
    consumer_claim: parameterName().describe('The claim that names the consumer.').prefault('sub'),
    forward_claims: z
      .record(parameterName(), changeableHeaderName(), { error: 'a mapping of claims to header names' })
      .describe('Claims to send upstream, each with its header; what clients send there is removed.')
      .prefault({}),
  })
  .describe('Signed tokens (RFC 7519).');
