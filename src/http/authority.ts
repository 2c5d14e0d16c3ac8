/**
 * The authority of a request: `Host`, or the authority of an absolute-form or authority-form target
 * (RFC 3986 3.2, RFC 9110 4.2 and 7.2).
 */

import { PhotonError } from '../base/errors.ts';

export interface Authority {
  /** Lower case, without a trailing dot; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number | null;
}

const DOT = 0x2e;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;

/** A DNS name has at most 253 characters (RFC 1035 2.3.4); with a trailing dot 254. */
const MAX_HOST_CHARS = 254;
/** `65535`. Longer ports are zeros in front or out of range; neither is worth accepting. */
const MAX_PORT_DIGITS = 5;
const MAX_PORT = 65_535;

const REFUSED = 0;
const PLAIN = 1;
const UPPER_CASE = 2;

/** What each ASCII character is in a reg-name. A percent sign is refused: no DNS name needs percent-encoding. */
const REG_NAME = new Uint8Array(128);
for (const character of "abcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=")
  REG_NAME[character.charCodeAt(0)] = PLAIN;
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') REG_NAME[character.charCodeAt(0)] = UPPER_CASE;

/**
 * Reads `host` or `host:port`, strictly: no userinfo, no empty host or label, no percent-encoding, decimal port.
 * @throws PhotonError `bad_host`
 */
export function parseAuthority(text: string): Authority {
  if (text.charCodeAt(0) === OPEN_BRACKET) return parseIpLiteral(text);
  const colon = text.indexOf(':');
  const hostEnd = colon < 0 ? text.length : colon;
  return { host: normaliseRegName(text, hostEnd), port: parsePort(text, hostEnd) };
}

/** The reg-name (or IPv4 address, which is written with the same characters) in `text[0, end)`. */
function normaliseRegName(text: string, end: number): string {
  if (end === 0 || end > MAX_HOST_CHARS) throw badHost(`want 1 to ${MAX_HOST_CHARS} characters of host, got ${end}`);
  let hasUpperCase = false;
  let labelStart = 0;
  for (let at = 0; at < end; at += 1) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? REG_NAME[code] : REFUSED;
    if (kind === REFUSED) throw badHost(`the character at offset ${at} is not allowed`);
    if (kind === UPPER_CASE) hasUpperCase = true;
    if (code === DOT) {
      if (at === labelStart) throw badHost('an empty label');
      labelStart = at + 1;
    }
  }
  const nameEnd = labelStart === end ? end - 1 : end;
  const name = nameEnd === text.length ? text : text.slice(0, nameEnd);
  return hasUpperCase ? name.toLowerCase() : name;
}

function parseIpLiteral(text: string): Authority {
  const close = text.indexOf(']');
  // RFC 3986 3.2.2 leaves room for IPvFuture. Nobody has defined one, so it is refused; so are zone identifiers.
  if (close < 0 || !isIpv6Address(text.slice(1, close))) throw badHost('want an IPv6 address in brackets');
  return { host: text.slice(0, close + 1).toLowerCase(), port: parsePort(text, close + 1) };
}

/** The port in `text` from the colon at `colon` on. RFC 3986 3.2.3 allows an empty one: it means the default. */
function parsePort(text: string, colon: number): number | null {
  if (colon === text.length) return null;
  if (text.charCodeAt(colon) !== COLON) throw badHost('want nothing or a port after the host');
  const digits = text.length - colon - 1;
  if (digits === 0) return null;
  let port = 0;
  for (let at = colon + 1; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) throw badHost('the port is not a decimal number');
    port = port * 10 + digit;
  }
  if (digits > MAX_PORT_DIGITS || port > MAX_PORT) throw badHost(`want a port of at most ${MAX_PORT}`);
  return port;
}

/** RFC 3986 3.2.2 `IPv6address`: eight groups of 16 bits, one run of them replaced by `::`, the last two maybe IPv4. */
function isIpv6Address(text: string): boolean {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return false;
  if (tail === undefined) return countGroups(head, true) === 8;
  return countGroups(head, false) + countGroups(tail, true) <= 7;
}

/** How many 16-bit groups `text` has; NaN if one is malformed. */
function countGroups(text: string, mayEndInIpv4: boolean): number {
  if (text === '') return 0;
  const groups = text.split(':');
  const last = groups.at(-1) as string;
  const endsInIpv4 = mayEndInIpv4 && isIpv4Address(last);
  if (endsInIpv4) groups.pop();
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return Number.NaN;
  return groups.length + (endsInIpv4 ? 2 : 0);
}

function isIpv4Address(text: string): boolean {
  const octets = text.split('.');
  return octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255);
}

function badHost(reason: string): PhotonError {
  return new PhotonError('bad_host', `Cannot read the authority of the request: ${reason}`);
}
