import { parseTemplate } from '../config/placeholders.ts';
import { fieldText } from '../http/field-text.ts';
import type { Exchange } from '../pipeline/exchange.ts';

/** Gives the text of a template for one request. */
export type Template = (exchange: Exchange) => string;

/**
 * Makes a template ready. Every value that stands in for a placeholder is printable ASCII: path parameters are as in the path,
 * percent-encoded, and so is what is not ASCII of the others. `encode`: what else becomes of those others.
 */
export function compileTemplate(text: string, encode?: (value: string) => string): Template {
  const parts = parseTemplate(text).map(
    (part): Template => (typeof part === 'string' ? () => part : encodedValue(part.placeholder, encode)),
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

/**
 * Makes a template ready that becomes a part of a URL. Path parameters stand there as they came; of the others nothing can end the segment or
 * the parameter that they stand in: a consumer may have chosen his name himself.
 */
export function compileUrlTemplate(text: string): Template {
  return compileTemplate(text, urlText);
}

/** What is percent-encoded already stays as it is. */
function urlText(text: string): string {
  return text.replace(
    /%(?![0-9A-F]{2})|[^\w.~:%-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function encodedValue(placeholder: string, encode: ((value: string) => string) | undefined): Template {
  const value = placeholderValue(placeholder);
  return encode === undefined || placeholder.startsWith('path.') ? value : (exchange) => encode(value(exchange));
}

function placeholderValue(placeholder: string): Template {
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
