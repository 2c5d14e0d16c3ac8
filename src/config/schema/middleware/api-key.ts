import { z } from 'zod';
import { headerName, parameterName } from '../../http-option-types.ts';
import { flag, listOf, oneOrMore, printableText } from '../../option-types.ts';

const keyWanted = 'a key of at least 8 characters, or "sha256:" and its digest in 64 hexadecimal digits';

const key = z
  .string({ error: keyWanted })
  .min(8, { error: keyWanted })
  .regex(/^(?!sha256:)[\x21-\x7e]+$|^sha256:[0-9a-f]{64}$/i, { error: keyWanted });

const entryWanted = `${keyWanted}, or a mapping {key, consumer}`;

const entry = z.union(
  [
    key,
    z.strictObject({
      key: key.describe('The key, or its digest.'),
      consumer: printableText().describe('Whose key it is.').optional(),
    }),
  ],
  { error: entryWanted },
);

export const apiKey = z
  .strictObject({
    header: headerName()
      .refine((name) => name !== 'host', { error: 'a header other than Host' })
      .describe('The header with the key; by default X-API-Key, or none where query is set.')
      .optional(),
    query: parameterName().describe('The query parameter with the key; it shows in logs of others.').optional(),
    keys: listOf(entry, 'keys').describe('The keys: texts or "sha256:" digests, or {key, consumer}.').optional(),
    consumers: z
      .record(printableText(), oneOrMore(key, keyWanted), { error: 'a mapping of consumers to keys' })
      .describe('The keys of each consumer: one, or a list.')
      .optional(),
    strip: flag().describe('Whether the key is taken out of what goes upstream.').prefault(true),
  })
  .describe('Keys that are compared as they are.');
