import { z } from 'zod';
import {
  absolutePath,
  parameterName,
  pathReplacement,
  pathTemplate,
  regExpText,
  textTemplate,
} from '../../http-option-types.ts';

const value = () => textTemplate('a text of one line', /^[^\p{Cc}]*$/u);

export const rewrite = z
  .strictObject({
    replace_prefix: z
      .strictObject({
        from: absolutePath().describe('What the path has to start with, at a segment boundary.'),
        to: absolutePath().describe('What goes there instead.'),
      })
      .describe('Puts another beginning in front of the path.')
      .optional(),
    path: pathTemplate().describe('The whole path, {path.NAME} in it replaced.').optional(),
    regex: z
      .strictObject({
        pattern: regExpText().describe('A regular expression over the path.'),
        replacement: pathReplacement().describe('What goes in the place of what it matches; $1, $2 are its groups.'),
      })
      .describe('Replaces a part of the path.')
      .optional(),
    query: z
      .strictObject({
        remove: z
          .array(parameterName(), { error: 'a list of parameter names' })
          .describe('Parameters to take out; this comes first.')
          .prefault([]),
        set: z
          .record(parameterName(), value(), { error: 'a mapping of parameter names to values' })
          .describe('Parameters to have with exactly this value.')
          .prefault({}),
        add: z
          .record(parameterName(), value(), { error: 'a mapping of parameter names to values' })
          .describe('Parameters to add.')
          .prefault({}),
      })
      .describe('Changes to the query.')
      .prefault({}),
  })
  .describe('Changes path and query before they go upstream: replace_prefix, or path, or regex.');
