import { z } from 'zod';
import {
  isHostName,
  isIpAddress,
  isIpRange,
  parseListenAddress,
  parseUpstreamAddress,
  type SocketAddress,
} from '../base/address.ts';
import { parseByteSize } from '../base/byte-size.ts';
import { parseDuration } from '../base/duration.ts';
import { inUnit } from './option-units.ts';

/*
 * The kinds of values that options have. The message of each says only which value is wanted: the diagnostics add the
 * rest. The examples go into the JSON Schema of the configuration.
 */

/** The characters that a field value (RFC 9110 5.5) may have, and a name in logs and metrics. */
export const PRINTABLE = /^[^\p{Cc}]+$/u;

/** The form of durations, for editors. */
const DURATION_FORM = /^\s*(?:\d+\s*(?:ms|[dhms])\s*)+$/;

/** The form of addresses, for editors. */
const ADDRESS_FORM = /:\d{1,5}$|^unix:\/|^srv:_/;

/** The longest delay that a timer of the runtime takes: about 24 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * A text that `parse` understands. For any other text `parse` throws a SyntaxError that says what is wanted. `pattern` is
 * a first approximation, for editors.
 */
export function parsedText<T>(
  wanted: string,
  examples: readonly string[],
  parse: (text: string) => T,
  pattern?: RegExp,
) {
  // The examples belong to the text, not to its parsed value: they show what a user writes.
  const written = z
    .string({ error: wanted })
    .meta({ examples: [...examples], ...(pattern === undefined ? {} : { pattern: pattern.source }) });
  return written.transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      context.issues.push({ code: 'custom', message: error.message, input: text });
      return z.NEVER;
    }
  });
}

/** A text that matches a pattern. */
export function textLike(wanted: string, pattern: RegExp) {
  return z.string({ error: wanted }).regex(pattern, { error: wanted });
}

/** A duration in milliseconds, above 0 and of at least `minMs`. */
export function duration(minMs = 1) {
  const wanted = 'a duration such as "30s", "1h 30m" or "100ms"';
  return checkedDuration(wanted, ['30s', '5m', '1h 30m', '100ms'], (ms) => {
    if (ms > MAX_TIMER_MS || ms === 0) throw new SyntaxError('a duration above 0 and of at most 24 days');
    if (ms < minMs) throw new SyntaxError(`a duration of at least ${minMs}ms`);
  });
}

/** A duration in milliseconds that may be 0, of at most `maxMs`. */
export function durationOrZero(maxMs: number) {
  const wanted = 'a duration such as "0s", "30s" or "1h 30m"';
  return checkedDuration(wanted, ['0s', '30s', '1h 30m'], (ms) => {
    if (ms > maxMs) throw new SyntaxError(`a duration of at most ${Math.floor(maxMs / 86_400_000)} days`);
  });
}

/** A duration in milliseconds that `check` does not refuse with a SyntaxError. */
function checkedDuration(wanted: string, examples: readonly string[], check: (ms: number) => void) {
  const parse = (text: string) => {
    const ms = parseDuration(text);
    check(ms);
    return ms;
  };
  return inUnit('Ms', parsedText(wanted, examples, parse, DURATION_FORM));
}

/** A size in bytes of at least `min`. */
export function byteSize(min: number) {
  const forms = 'a size in bytes such as 65536, "64KB" or "1MiB"';
  const wanted = min === 0 ? forms : `${forms}, at least ${min}`;
  const written = z.union([z.number(), z.string()], { error: wanted }).meta({ examples: [65_536, '64KB', '1MiB'] });
  return inUnit(
    'Bytes',
    written.transform((value, context): number => {
      const bytes = sizeOf(value);
      if (Number.isSafeInteger(bytes) && bytes >= min) return bytes;
      context.issues.push({ code: 'custom', message: wanted, input: value });
      return z.NEVER;
    }),
  );
}

function sizeOf(value: string | number): number {
  if (typeof value === 'number') return value;
  try {
    return parseByteSize(value);
  } catch (error) {
    if (error instanceof SyntaxError) return Number.NaN;
    throw error;
  }
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A number above 0 and up to 1. */
export function share() {
  const error = 'a number above 0 and up to 1';
  return z.number({ error }).gt(0, { error }).max(1, { error });
}

/** A number from 0 to 1. */
export function shareOrZero() {
  const error = 'a number from 0 to 1';
  return z.number({ error }).min(0, { error }).max(1, { error });
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

/** One of a few words. */
export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: `one of ${values.map((value) => `"${value}"`).join(', ')}` });
}

/** A name that ends up in logs and metrics. */
export function printableText() {
  return textLike('a text without control characters, not empty', PRINTABLE).max(256, {
    error: 'a text of at most 256 characters',
  });
}

/** The path of a file; a relative one starts from the working directory. */
export function filePath() {
  return textLike('the path of a file', PRINTABLE);
}

/** The output of a log. Files are absolute paths, because a word would be a file in the directory that the gateway runs in. */
export function logOutput() {
  return textLike('"stdout" or the absolute path of a file', /^(?:stdout|\/[^\p{Cc}]+)$/u);
}

/** A place to listen at. */
export interface ListenAddress extends SocketAddress {
  /** The address as written in the configuration. */
  readonly text: string;
}

/** An address to listen at, with its own text; port 0 lets the system choose. */
export function listenAddress() {
  const wanted = 'an address such as "0.0.0.0:8080", ":8080" or "unix:/run/photon.sock"';
  const examples = ['0.0.0.0:8080', ':8080', '[::1]:8080', 'unix:/run/photon.sock'];
  return parsedText(wanted, examples, (text): ListenAddress => ({ ...parseListenAddress(text), text }), ADDRESS_FORM);
}

/** A service whose servers and ports DNS knows (RFC 2782). */
const SRV_NAME = /^srv:((?:_[a-z0-9-]+\.){2}[^:]+)$/i;

/** Where a server is, or the servers of a service. */
export interface UpstreamAddress extends SocketAddress {
  /** The address as written in the configuration. */
  readonly text: string;
  /** The name of a service, whose servers and ports DNS knows (RFC 2782); null for one server. */
  readonly service: string | null;
}

/** The address of a server, with its own text; for `srv:NAME` the host is the name and the port is 0. */
export function upstreamAddress() {
  const wanted = 'an address such as "10.0.0.1:8080", "unix:/run/app.sock" or "srv:_http._tcp.app.internal"';
  const examples = ['10.0.0.1:8080', 'app.internal:8080', 'unix:/run/app.sock', 'srv:_http._tcp.app.internal'];
  return parsedText(
    wanted,
    examples,
    (text): UpstreamAddress => {
      const service = SRV_NAME.exec(text)?.[1] ?? null;
      if (service === null) return { ...parseUpstreamAddress(text), text, service };
      if (!isHostName(service)) throw new SyntaxError(wanted);
      return { host: service.toLowerCase(), port: 0, path: null, text, service: service.toLowerCase() };
    },
    ADDRESS_FORM,
  );
}

/** A DNS server: an IP address, with a port where it is not 53. */
export function dnsServer() {
  const wanted = 'an IP address, or one with a port, such as "10.0.0.2", "10.0.0.2:5353" or "[fd00::2]:53"';
  return parsedText(wanted, ['10.0.0.2', '10.0.0.2:5353', '[fd00::2]:53'], (text) => {
    if (isIpAddress(text)) return text;
    const { host } = parseUpstreamAddress(text);
    if (!isIpAddress(host)) throw new SyntaxError(wanted);
    return text;
  });
}

/** An IP address or a CIDR range. */
export function ipRange() {
  const wanted = 'an IP address or a range such as "10.0.0.0/8" or "fd00::/8"';
  return parsedText(wanted, ['10.0.0.0/8', '192.168.1.1', 'fd00::/8'], (text) => {
    if (!isIpRange(text)) throw new SyntaxError(wanted);
    return text;
  });
}

/** A list with at least one item. */
export function listOf<T extends z.ZodType>(item: T, what: string) {
  const error = `a list of ${what}, not empty`;
  return z.array(item, { error }).min(1, { error });
}

/**
 * One item, or a list with at least one; after validation always a list, so that no code takes a text for a list of its
 * letters. An item is not a list itself.
 */
export function oneOrMore<T extends z.ZodType>(item: T, what: string) {
  const error = `${what}, or a list of them`;
  return z
    .union([item, z.array(item, { error }).min(1, { error })], { error })
    .transform((value): readonly z.output<T>[] => (Array.isArray(value) ? value : [value as z.output<T>]));
}
