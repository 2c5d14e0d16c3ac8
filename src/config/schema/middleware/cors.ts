import { z } from 'zod';
import { headerName, method, originPattern } from '../../http-option-types.ts';
import { durationOrZero, flag, listOf, MAX_TIMER_MS, wholeNumber } from '../../option-types.ts';

const ageWanted = 'a number of seconds, or a duration such as "10m"';

const seconds = z
  .union([wholeNumber(0, 86_400), durationOrZero(MAX_TIMER_MS).transform((ms) => Math.floor(ms / 1000))], {
    error: ageWanted,
  })
  .describe('For how long a browser may remember the answer to a preflight; by default it decides itself.');

const everyOr = <T extends z.ZodType>(item: T, wanted: string) => z.union([z.literal('*'), item], { error: wanted });

export const cors = z
  .strictObject({
    allowed_origins: listOf(originPattern(), 'origins').describe(
      'The pages that may read replies: "https://app.example.com", "https://*.example.com", "*", or a regular expression.',
    ),
    allowed_methods: listOf(everyOr(method(), 'the name of a method in upper case, or "*"'), 'methods')
      .describe('The methods that they may use.')
      .prefault(['GET', 'HEAD', 'POST']),
    allowed_headers: z
      .array(everyOr(headerName(), 'the name of a header, or "*"'), { error: 'a list of header names' })
      .describe('The headers that they may send, besides the harmless ones.')
      .prefault([]),
    exposed_headers: z
      .array(everyOr(headerName(), 'the name of a header, or "*"'), { error: 'a list of header names' })
      .describe('The headers of replies that they may read, besides the harmless ones.')
      .prefault([]),
    allow_credentials: flag().describe('Whether requests may carry cookies and credentials.').prefault(false),
    max_age: seconds.optional(),
  })
  .describe('Lets pages of other origins read replies (CORS).');
