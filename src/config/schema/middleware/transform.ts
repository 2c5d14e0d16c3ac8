import { z } from 'zod';
import { OWN_REQUEST_FIELDS, OWN_RESPONSE_FIELDS } from '../../../http/own-fields.ts';
import { addableHeaderName, changeableHeaderName, fieldTemplate } from '../../http-option-types.ts';

const values = 'a mapping of header names to values';

const changes = (whose: string, own: ReadonlySet<string>) =>
  z
    .strictObject({
      remove: z
        .array(changeableHeaderName(), { error: 'a list of header names' })
        .describe('Headers to take out; this comes first.')
        .prefault([]),
      set: z
        .record(changeableHeaderName(), fieldTemplate(), { error: values })
        .describe('Headers to have with exactly this value. {client_ip}, {request_id} and so on are replaced.')
        .prefault({}),
      add: z
        .record(addableHeaderName(own), fieldTemplate(), { error: values })
        .describe('Headers to add beside those of the same name.')
        .prefault({}),
    })
    .describe(`Changes to the headers of ${whose}.`);

export const transform = z
  .strictObject({
    request_headers: changes('requests', OWN_REQUEST_FIELDS).prefault({}),
    response_headers: changes('replies', OWN_RESPONSE_FIELDS).prefault({}),
  })
  .describe('Changes headers: remove, then set, then add.');
