import { FIELD } from './field-names.ts';
import type { Fields } from './fields.ts';
import type { OutgoingRequest } from './outgoing.ts';

/**
 * NTLM and Negotiate (RFC 4559) authenticate a connection and not a request: the server takes all that follows on it for the same
 * user's. As HAProxy does, every scheme counts whose name begins so (`Nego2`). A quoted comma in a challenge may look like one: then
 * a connection is not shared, and nothing else happens.
 */
const CREDENTIALS = /^[ \t]*(?:ntlm|nego)/i;
const CHALLENGE = /(?:^|,)[ \t]*(?:ntlm|nego)/i;

/** Whether a request carries credentials that authenticate its connection. */
export function authenticatesConnection(outgoing: OutgoingRequest): boolean {
  const { request, requestDrops, requestAdditions, editedByMiddleware } = outgoing;
  for (let field = request.find(FIELD.AUTHORIZATION); field !== -1; field = findNext(request, field)) {
    if (CREDENTIALS.test(request.value(field)) && !requestDrops?.has(request, field)) return true;
  }
  return editedByMiddleware && requestAdditions.valuesOf('authorization').some((value) => CREDENTIALS.test(value));
}

/** Whether a reply asks for such credentials, or goes on with an exchange of them. */
export function challengesConnection(response: Fields): boolean {
  for (let field = response.find(FIELD.WWW_AUTHENTICATE); field !== -1; field = findNext(response, field)) {
    if (CHALLENGE.test(response.value(field))) return true;
  }
  return false;
}

/** The next field of the same name, or -1. */
function findNext(fields: Fields, after: number): number {
  const number = fields.number(after);
  for (let field = after + 1; field < fields.count; field++) if (fields.number(field) === number) return field;
  return -1;
}
