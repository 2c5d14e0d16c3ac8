import type { FieldPair } from '../base/field-group.ts';
import { utf8Bytes } from '../base/latin1.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Answer, Middleware } from '../pipeline/middleware.ts';
import { compileTemplate } from './template.ts';

/** Answers every request itself, the same each time. */
export function respond({
  status,
  body,
  content_type: type,
  headers,
}: BuiltInOptions['respond']): readonly Middleware[] {
  const bytes = utf8Bytes(body ?? '');
  const names = Object.keys(headers);
  const typeField: readonly FieldPair[] =
    bytes === '' || names.includes('content-type') ? [] : [['Content-Type', type]];
  const templates = Object.entries(headers).map(([name, value]) => [name, compileTemplate(value)] as const);

  function answer(exchange: ExchangeContext): Answer {
    const fields = templates.map(([name, value]): FieldPair => [name, value(exchange)]);
    return { status, fields: [...typeField, ...fields], body: bytes };
  }

  return [{ name: 'respond', stage: 'respond', responseWrites: names, onRequest: answer }];
}
