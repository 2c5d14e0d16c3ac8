import { PhotonError } from '../base/errors.ts';
import { FieldGroup } from '../base/field-group.ts';
import { FRAMING } from '../http/framing.ts';
import { COMMON_METHODS } from '../http/methods.ts';
import { DATE } from './date-field.ts';
import { sendErrorReply } from './error-response.ts';
import type { Exchange } from './exchange.ts';
import type { Answer } from './middleware.ts';
import { sendOwnReply } from './own-reply.ts';
import { addTraceFields } from './trace-fields.ts';

/** RFC 9110 9.3.7: `OPTIONS *` asks about the server itself, so it is answered here. */
export function replyToOptionsAsterisk(exchange: Exchange): void {
  sendAnswer(exchange, { status: 204, fields: [['Allow', COMMON_METHODS]], body: '' });
}

/** RFC 9110 15.4.9: 308 keeps method and body. The port is left out if it is the scheme's default. */
export function redirectToHttps(exchange: Exchange, port: number): void {
  const { host, target } = exchange;
  if (host === '') throw new PhotonError('bad_host', 'Without Host nobody can say where HTTPS is.');
  const query = target.hasQuery ? `?${target.query}` : '';
  const location = `https://${host}${port === 443 ? '' : `:${port}`}${target.path}${query}`;
  sendAnswer(exchange, { status: 308, fields: [['Location', location]], body: '' });
}

/** The path has routes, but none for this method; `allow` lists the methods that have one. */
export function replyMethodNotAllowed(exchange: Exchange, allow: string): void {
  const fields = new FieldGroup([['Allow', allow]]);
  sendErrorReply(exchange, new PhotonError('method_not_allowed', `This path takes ${allow}.`, fields));
}

/** Sends a reply that no upstream made. Throws PhotonError if a response hook refuses it. */
export function sendAnswer(exchange: Exchange, { status, fields, body }: Answer): void {
  const { reply, services } = exchange;
  const hasBody = status !== 204 && status !== 304;
  reply.status = status;
  reply.source = null;
  reply.framing = hasBody ? FRAMING.LENGTH : FRAMING.NONE;
  reply.contentLength = hasBody ? body.length : -1;
  reply.additions.clear();
  for (const [name, value] of fields) reply.additions.add(name, value);
  reply.additions.addGroup(DATE, services.date);
  addTraceFields(reply.additions, 1, exchange.id);
  sendOwnReply(exchange, hasBody ? body : '', null);
}
