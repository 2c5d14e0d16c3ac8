import { FRAMING } from '../http/framing.ts';
import { DATE } from './date-field.ts';
import type { ExchangeContext } from './exchange-context.ts';
import type { Answer } from './middleware.ts';
import { addTraceFields } from './trace-fields.ts';

/** Makes the head of a reply that no upstream made. Returns its body: latin1 text, empty for none. */
export function answerHead({ reply, services, id }: ExchangeContext, { status, fields, body }: Answer): string {
  const hasBody = status !== 204 && status !== 304;
  reply.status = status;
  reply.source = null;
  reply.framing = hasBody ? FRAMING.LENGTH : FRAMING.NONE;
  reply.contentLength = hasBody ? body.length : -1;
  reply.additions.clear();
  for (const [name, value] of fields) reply.additions.add(name, value);
  reply.additions.addGroup(DATE, services.date);
  addTraceFields(reply.additions, 1, id);
  return hasBody ? body : '';
}
