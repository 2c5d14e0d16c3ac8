import { FIELD_STRIDE, type Fields, VALUE_END } from '../../http/fields.ts';

/**
 * Whether a Transfer-Encoding field is `chunked` and nothing else. RFC 9110 5.5 takes a tab after the value for a blank; llhttp
 * takes `chunked HTAB` for another coding and reads the reply up to the end of the connection. It is no `chunked` to us.
 */
export function isChunked(fields: Fields, field: number): boolean {
  const value = fields.value(field);
  return (value === 'chunked' || value.toLowerCase() === 'chunked') && !tabFollows(fields, field);
}

function tabFollows(fields: Fields, field: number): boolean {
  if (fields.canonical) return false;
  const valueEnd = fields.index[field * FIELD_STRIDE + VALUE_END] as number;
  return fields.text.slice(valueEnd, fields.text.indexOf('\r', valueEnd)).includes('\t');
}
