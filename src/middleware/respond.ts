import { utf8Bytes } from '../base/latin1.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import type { Exchange } from '../pipeline/exchange.ts';
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
  const typeLine = bytes === '' || names.includes('content-type') ? '' : `Content-Type: ${type}\r\n`;
  const lines = Object.entries(headers).map(([name, value]) => compileTemplate(`${name}: ${value}\r\n`));

  function answer(exchange: Exchange): Answer {
    let all = typeLine;
    for (const line of lines) all += line(exchange);
    return { status, lines: all, body: bytes };
  }

  return [{ name: 'respond', stage: 'respond', responseWrites: names, onRequest: answer }];
}
