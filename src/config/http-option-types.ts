import { z } from 'zod';
import { isHostName, isIpAddress } from '../base/address.ts';
import { PhotonError } from '../base/errors.ts';
import { dropName } from '../http/field-drops.ts';
import { isConnectionField } from '../http/hop-by-hop.ts';
import { asciiPath, normalisePath } from '../http/target.ts';
import { oneOrMore, PRINTABLE, parsedText, textLike } from './option-types.ts';
import { parseTemplate } from './placeholders.ts';

/* The kinds of values that options about HTTP have; as in option-types.ts, each message says which value is wanted. */

/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const BRACKETED_ADDRESS = /^\[([0-9a-f:.]+)\]$/i;

/** The methods that the gateway itself refuses on every route. */
const REFUSED_METHODS = ['CONNECT', 'TRACE'];

/**
 * What may stand in a field value (RFC 9110 5.5), blanks only within. ASCII alone: heads go out one byte a character, and of U+010A nothing
 * would be left but a line feed.
 */
const FIELD_VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;

/** A method name: a token in upper case that the gateway does not refuse anyway. */
export function method() {
  const wanted = 'the name of a method in upper case, such as "GET"';
  return parsedText(wanted, ['GET', 'POST'], (text) => {
    if (!TOKEN.test(text) || text !== text.toUpperCase()) throw new SyntaxError(wanted);
    if (REFUSED_METHODS.includes(text))
      throw new SyntaxError('a method other than CONNECT and TRACE, which are refused');
    return text;
  });
}

/** The name of a header, turned into lower case. */
export function headerName() {
  return textLike('the name of a header, such as "X-Version"', TOKEN).transform((name) => name.toLowerCase());
}

/** A value to compare with, or `true`, which asks for presence only. */
export function textOrPresent() {
  const error = 'a text to be equal to (numbers need quotes), or true for "is present"';
  return z.union([z.string({ error }).regex(PRINTABLE, { error }), z.literal(true)], { error });
}

/** The host that a route takes requests for, in lower case and without the trailing dot. */
export function hostPattern() {
  const wanted = 'a host name without port, such as "api.example.com" or "*.example.com"';
  return parsedText(wanted, ['api.example.com', '*.example.com'], (text) => {
    const name = text.replace(/\.$/, '').toLowerCase();
    if (!(name.startsWith('*.') ? isHostName(name.slice(2)) : isHost(name))) throw new SyntaxError(wanted);
    return name;
  });
}

/** A name to verify a certificate against, in lower case and without the trailing dot. */
export function serverName() {
  const wanted = 'a host name or an IP address without port, such as "api.internal"';
  return parsedText(wanted, ['api.internal', '10.0.0.1'], (text) => {
    const name = text.replace(/\.$/, '').toLowerCase();
    if (!isHostName(name) && !isIpAddress(name)) throw new SyntaxError(wanted);
    return name;
  });
}

/** What goes upstream as Host: the client's, the upstream's own, or a name of your own with or without port. */
export function upstreamHost() {
  const wanted = '"preserve", "upstream" or a host name such as "app.internal" or "app.internal:8080"';
  return parsedText(
    wanted,
    ['preserve', 'upstream', 'app.internal'],
    (text): 'preserve' | 'upstream' | { readonly name: string } => {
      if (text === 'preserve' || text === 'upstream') return text;
      if (!isAuthority(text)) throw new SyntaxError(wanted);
      return { name: text };
    },
  );
}

/** The pattern of a route. Whether the router understands it is asked elsewhere. */
export function routePattern() {
  const wanted = 'a pattern that starts with "/", or a regular expression that starts with "^"';
  return parsedText(wanted, ['/api/**', '/users/{id}', '^/v[0-9]+/'], (text) => {
    if (!/^[/^]/.test(text) || !PRINTABLE.test(text)) throw new SyntaxError(wanted);
    if (text.startsWith('^')) checkRegExp(text);
    return text;
  });
}

const PATH_WANTED = 'a path that starts with "/"';
const PATH_FORM = /^\/[^\p{Cc}\s?#]*$/u;
const REPLACEMENT_WANTED = 'a text without blanks, "?" and "#"';

/**
 * A path that starts with a slash, brought into the normal form of request paths: it means what it says however it is spelled. What is not
 * ASCII is percent-encoded as UTF-8, because heads go out one byte a character.
 */
export function absolutePath() {
  return textLike(PATH_WANTED, PATH_FORM).transform((text, context) => {
    const normal = normalForm(text);
    return normal === null ? notAPath(PATH_WANTED, text, context) : normal;
  });
}

/** A path with placeholders, kept as a text that `parseTemplate` understands; what is not ASCII is percent-encoded as UTF-8. */
export function pathTemplate() {
  return textTemplate(PATH_WANTED, PATH_FORM).transform((text, context) => {
    const filled = parseTemplate(text).map((part) => (typeof part === 'string' ? part : 'x'));
    return isPiece(filled.join('')) ? asciiPath(text) : notAPath(PATH_WANTED, text, context);
  });
}

/** What goes in the place of a piece of a path, `$1` and so on for groups; what is not ASCII is percent-encoded as UTF-8. */
export function pathReplacement() {
  return textLike(REPLACEMENT_WANTED, /^[^\p{Cc}\s?#]*$/u).transform((text, context) =>
    isPiece(`/x${text}`) ? asciiPath(text) : notAPath(REPLACEMENT_WANTED, text, context),
  );
}

/** Whether a path may be put together with it. One with a dot segment is refused for every request. */
function isPiece(path: string): boolean {
  return normalForm(path) !== null && !/\/\.{1,2}(?:\/|$)/.test(path);
}

function normalForm(path: string): string | null {
  try {
    return normalisePath(asciiPath(path), false);
  } catch (error) {
    if (error instanceof PhotonError || error instanceof URIError) return null;
    throw error;
  }
}

function notAPath(wanted: string, text: string, context: z.RefinementCtx<string>): never {
  const message = `${wanted}, with two hexadecimal digits after each percent sign, without backslashes and ".." segments`;
  context.issues.push({ code: 'custom', message, input: text });
  return z.NEVER;
}

function isHost(text: string): boolean {
  return isHostName(text) || isIpAddress(BRACKETED_ADDRESS.exec(text)?.[1] ?? (text.includes(':') ? '' : text));
}

function checkRegExp(pattern: string): void {
  try {
    new RegExp(pattern);
  } catch (error) {
    // The engine's message repeats the pattern before its last colon.
    const reason = error instanceof SyntaxError ? error.message.slice(error.message.lastIndexOf(':') + 1).trim() : '';
    throw new SyntaxError(`a regular expression that compiles (${reason})`, { cause: error });
  }
}

/** A token of HTTP, such as a subprotocol. */
export function token() {
  return textLike('a word of letters, digits and a few signs, such as "chat.v2"', TOKEN);
}

/** The name of a cookie (RFC 6265 4.1.1). */
export function cookieName() {
  return textLike('the name of a cookie, such as "session"', TOKEN);
}

/** The name of a query parameter or a claim. */
export function parameterName() {
  return textLike('a name, not empty', PRINTABLE);
}

/** What may stand in a header. */
export function fieldValue() {
  return textLike('a header value: printable ASCII without blanks around it (numbers need quotes)', FIELD_VALUE);
}

/** The name of a header that a configuration may set or remove, in lower case. */
export function changeableHeaderName() {
  return headerName()
    .refine((name) => !isConnectionField(name), {
      error: 'a header that is not about the connection or the framing of messages',
    })
    .refine((name) => name !== 'host', { error: 'a header other than Host, which upstream_host of the route sets' });
}

/** The name of a header, in lower case, that may stand beside others of the name: none of those that the gateway writes itself (`own`). */
export function addableHeaderName(own: ReadonlySet<string>) {
  return changeableHeaderName().refine((name) => !own.has(dropName(name)), {
    error: 'a header that the gateway does not write itself: set it',
  });
}

/** The name of a header, in lower case, for a reply in which the gateway writes some itself (`own`). */
export function answerHeaderName(own: ReadonlySet<string>) {
  return changeableHeaderName().refine((name) => !own.has(dropName(name)), {
    error: 'a header that the gateway does not write itself',
  });
}

/** A header value with placeholders, kept as a text that `parseTemplate` understands. */
export function fieldTemplate() {
  return fieldValue().superRefine(checkTemplate);
}

/** A text with placeholders, kept as a text that `parseTemplate` understands. */
export function textTemplate(wanted: string, pattern: RegExp) {
  return textLike(wanted, pattern).superRefine(checkTemplate);
}

function checkTemplate(text: string, context: z.RefinementCtx<string>): void {
  try {
    parseTemplate(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    context.issues.push({ code: 'custom', message: error.message, input: text });
  }
}

/** A range of statuses, both ends included. */
export interface StatusRange {
  readonly min: number;
  readonly max: number;
}

/** Statuses: one (200), a class ("2xx"), or a list of both. */
export function statusSet() {
  const wanted = 'a status (200), a class ("2xx"), or a list of them';
  const one = z.union(
    [
      z.int({ error: wanted }).min(100, { error: wanted }).max(599, { error: wanted }),
      textLike(wanted, /^[1-5]xx$/).meta({ examples: ['2xx'] }),
    ],
    { error: wanted },
  );
  return oneOrMore(one, 'a status (200), a class ("2xx")').transform((values): readonly StatusRange[] =>
    values.map(rangeOfStatus),
  );
}

function rangeOfStatus(status: number | string): StatusRange {
  if (typeof status === 'number') return { min: status, max: status };
  const min = Number(status.charAt(0)) * 100;
  return { min, max: min + 99 };
}

/** A host name or address, with or without a port. */
export function upstreamAuthority() {
  const wanted = 'a host name such as "app.internal" or "app.internal:8080"';
  return parsedText(wanted, ['app.internal', 'app.internal:8080'], (text) => {
    if (!isAuthority(text)) throw new SyntaxError(wanted);
    return text;
  });
}

function isAuthority(text: string): boolean {
  const [, name = text, port] = /^(.*?):(\d{1,5})$/.exec(text) ?? [];
  return isHost(name) && Number(port ?? 0) <= 65_535;
}

/** An absolute URL over HTTP or HTTPS, without user and fragment. */
export function httpUrl() {
  const wanted = 'a URL such as "https://issuer.example.com/keys"';
  return parsedText(
    wanted,
    ['https://issuer.example.com/.well-known/jwks.json'],
    (text) => {
      const url = URL.parse(text);
      const isHttp = url !== null && ['http:', 'https:'].includes(url.protocol);
      if (!isHttp || url.username !== '' || url.password !== '' || url.hash !== '') throw new SyntaxError(wanted);
      return text;
    },
    /^https?:\/\//,
  );
}

/** The origins that a page may come from: one, every subdomain of a domain, or a regular expression. */
export function originPattern() {
  const wanted = '"*", an origin such as "https://app.example.com", "*.example.com", or a regular expression after "^"';
  return parsedText(wanted, ['*', 'https://app.example.com', 'https://*.example.com', '*.example.com'], (text) => {
    if (text.startsWith('^')) return checkedRegExp(text);
    const [, scheme = '', host = text] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/i.exec(text) ?? [];
    const isWild = host.startsWith('*.');
    const named = isAuthority(isWild ? host.slice(2) : host);
    if (text === '*' || text === 'null' || (named && (isWild || scheme !== ''))) return text.toLowerCase();
    throw new SyntaxError(host.endsWith('/') ? `${wanted}, without a slash at the end` : wanted);
  });
}

/** A regular expression of JavaScript. Whether it can take long is asked elsewhere. */
export function regExpText() {
  return parsedText('a regular expression', ['^/old/(.*)$'], checkedRegExp);
}

function checkedRegExp(pattern: string): string {
  checkRegExp(pattern);
  return pattern;
}
