import { parseTemplate } from '../config/placeholders.ts';
import { fieldText } from '../http/field-text.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';

/** Gives the text of a template for one request. */
export type Template = (exchange: ExchangeContext) => string;

/** How the parts of a template are written where its text is to stand. */
interface Encoding {
  /** Text of the configuration. */
  literal(text: string): string;
  /** A value of the request, which may have any character. */
  value(text: string): string;
  /** A consumer, of which a part may be percent-encoded already (`consumerText`). */
  consumer(text: string): string;
  /** A value as it stands in the path: printable ASCII, percent-encoded already. */
  pathParameter(text: string): string;
}

const asIs = (text: string): string => text;

/** Half a character is written as U+FFFD. */
export const percentEncoded = (text: string): string => encodeURIComponent(text.toWellFormed());

/** Percent-encodes printable ASCII but for what is so already, letters, digits, `-`, `.`, `_` and `~` (RFC 3986 2.3). */
const encodedRest = (text: string): string =>
  text.replace(
    /%(?![0-9A-F]{2})|[^\w.~%-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

/** In the value of a field: printable ASCII; what is not is percent-encoded. */
const FIELD: Encoding = { literal: asIs, value: fieldText, consumer: fieldText, pathParameter: asIs };

/** In a path: no value can end the segment that it stands in, for a consumer may have chosen its name itself. */
const PATH: Encoding = {
  literal: asIs,
  value: (text) => percentEncoded(text).replaceAll('%3A', ':'),
  consumer: (text) => encodedRest(fieldText(text)).replaceAll('%3A', ':'),
  pathParameter: asIs,
};

/**
 * In the value of a query parameter: no value can end it. A path parameter keeps its percent-encodings, and what means something else in a
 * query (`&`, `+`) gets one.
 */
const QUERY: Encoding = {
  literal: percentEncoded,
  value: percentEncoded,
  consumer: (text) => encodedRest(fieldText(text)),
  pathParameter: encodedRest,
};

/** Makes a template ready whose text is to stand in the values of fields. */
export const compileTemplate = (text: string): Template => compile(text, FIELD);

/** Makes a template ready whose text is a path. */
export const compilePathTemplate = (text: string): Template => compile(text, PATH);

/** Makes a template ready whose text is the value of a query parameter. */
export const compileQueryTemplate = (text: string): Template => compile(text, QUERY);

/** Makes a template ready whose text is a path that may have a query and a fragment behind it, whose text is there as it is to be. */
export function compileTargetTemplate(text: string): Template {
  const pathEnd = /[?#]|$/.exec(text)?.index ?? text.length;
  const path = compilePathTemplate(text.slice(0, pathEnd));
  if (pathEnd === text.length) return path;
  const rest = compile(text.slice(pathEnd), { ...QUERY, literal: asIs });
  return (exchange) => path(exchange) + rest(exchange);
}

function compile(text: string, encoding: Encoding): Template {
  const parts = parseTemplate(text).map((part) =>
    typeof part === 'string' ? literal(encoding.literal(part)) : encodedValue(part.placeholder, encoding),
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

const literal =
  (text: string): Template =>
  () =>
    text;

function encodedValue(placeholder: string, { value, consumer, pathParameter }: Encoding): Template {
  switch (placeholder) {
    case 'client_ip':
      return (exchange) => value(exchange.clientAddress);
    case 'request_id':
      return (exchange) => value(exchange.id);
    case 'route':
      return (exchange) => value(exchange.route?.id ?? '');
    case 'consumer':
      return (exchange) => consumer(exchange.consumer);
    default: {
      const name = placeholder.slice('path.'.length);
      return (exchange) => pathParameter(valueOfParameter(exchange, name));
    }
  }
}

function valueOfParameter({ generation, route, target }: ExchangeContext, name: string): string {
  return route === null ? '' : (generation?.router.pathParameters(route.number, target.path)[name] ?? '');
}
