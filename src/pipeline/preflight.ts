import { FIELD } from '../http/field-names.ts';
import type { RequestHead } from '../http/request-head.ts';

const METHOD_ASKED_FOR = 'access-control-request-method';

/**
 * A browser asks whether a page may send another request (Fetch 3.2.2): it carries no credentials and is about a method that it does
 * not have itself.
 */
export function isPreflight(request: RequestHead): boolean {
  if (request.method !== 'OPTIONS' || request.find(FIELD.ORIGIN) === -1) return false;
  return request.combinedValue(METHOD_ASKED_FOR) !== undefined;
}

/** The method that a preflight asks about. */
export function methodAskedFor(request: RequestHead): string {
  return request.combinedValue(METHOD_ASKED_FOR) ?? '';
}
