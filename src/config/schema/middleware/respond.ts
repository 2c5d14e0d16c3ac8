import { z } from 'zod';
import { OWN_ANSWER_FIELDS } from '../../../http/own-fields.ts';
import { answerHeaderName, fieldTemplate, fieldValue } from '../../http-option-types.ts';
import { filePath, wholeNumber } from '../../option-types.ts';

export const respond = z
  .strictObject({
    status: wholeNumber(200, 599).describe('The status of the reply.').prefault(200),
    body: z.string({ error: 'a text' }).describe('The body; by default none.').optional(),
    body_file: filePath().describe('A file with the body.').optional(),
    content_type: fieldValue().describe('The type of the body.').prefault('text/plain; charset=utf-8'),
    headers: z
      .record(answerHeaderName(OWN_ANSWER_FIELDS), fieldTemplate(), { error: 'a mapping of header names to values' })
      .describe('Headers of the reply.')
      .prefault({}),
  })
  .describe('Answers every request itself, the same each time.');
