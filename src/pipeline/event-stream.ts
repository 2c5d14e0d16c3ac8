import { FIELD } from '../http/field-names.ts';
import type { Fields } from '../http/fields.ts';

/** An event stream has no last byte to wait for: deadlines and outcomes of such a reply end with its head. */
export function isEventStream(response: Fields): boolean {
  const field = response.find(FIELD.CONTENT_TYPE);
  return field !== -1 && /^text\/event-stream\b/i.test(response.value(field));
}
