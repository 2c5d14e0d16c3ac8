import { parseTemplate, type TemplatePart } from '../config/placeholders.ts';
import { fieldText } from '../http/field-text.ts';
import type { Exchange } from '../pipeline/exchange.ts';

/** Gives the text of a template for one request. */
export type Template = (exchange: Exchange) => string;

/**
 * Makes a template ready. Every value that stands in for a placeholder is printable ASCII: path parameters are as in the path,
 * percent-encoded, and so is what is not ASCII of the others.
 */
export function compileTemplate(text: string): Template {
  const parts = parseTemplate(text).map(
    (part): Template => (typeof part === 'string' ? () => part : placeholderValue(part)),
  );
  const [first] = parts;
  if (first === undefined) return () => '';
  if (parts.length === 1) return first;
  return function render(exchange) {
    let rendered = '';
    for (const part of parts) rendered += part(exchange);
    return rendered;
  };
}

function placeholderValue({ placeholder }: Exclude<TemplatePart, string>): Template {
  switch (placeholder) {
    case 'client_ip':
      return (exchange) => exchange.clientAddress;
    case 'request_id':
      return (exchange) => exchange.id;
    case 'route':
      return (exchange) => fieldText(exchange.route?.id ?? '');
    case 'consumer':
      return (exchange) => fieldText(exchange.consumer);
    default:
      return pathParameter(placeholder.slice('path.'.length));
  }
}

function pathParameter(name: string): Template {
  return ({ generation, route, target }) =>
    route === null ? '' : (generation?.router.pathParameters(route.number, target.path)[name] ?? '');
}
