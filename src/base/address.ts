import ipaddr from 'ipaddr.js';

/** Where a socket can be bound or connected to. */
export interface SocketAddress {
  /** An IP literal without brackets, or a name in lower case. Empty: every address of the machine, or a unix socket. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** Path of a unix socket; null for TCP. */
  readonly path: string | null;
}

const LISTEN_FORMS =
  'an address such as "0.0.0.0:8080", ":8080", "[::1]:8080", "localhost:8080" or "unix:/run/photon.sock"';
const UPSTREAM_FORMS = 'an address such as "10.0.0.1:8080", "[::1]:8080", "app.internal:8080" or "unix:/run/app.sock"';

const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** A unix socket's path must fit into `sun_path` with its closing NUL (108 bytes on Linux). */
const MAX_UNIX_PATH_BYTES = 107;

/** True for `a.b.c.d` in decimal and for IPv6 without brackets. */
export function isIpAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/**
 * An IP address in the one form that a socket has it in: IPv6 in lower case and as short as can be, IPv4-mapped IPv6 as IPv4. Null for
 * anything else.
 */
export function usualAddress(text: string): string | null {
  if (!isIpAddress(text)) return null;
  return text.includes(':') ? ipaddr.process(text).toString() : text;
}

/** True for `10.0.0.0/8`, `fd00::/8` and single addresses. */
export function isIpRange(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash === -1) return isIpAddress(text);
  return isIpAddress(text.slice(0, slash)) && ipaddr.isValidCIDR(text);
}

/**
 * True for an ASCII host name, a trailing dot included. A name whose last label is a number is none: it would be taken for
 * an IPv4 address (`256.1.1.1`).
 */
export function isHostName(text: string): boolean {
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  return text.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

/**
 * Reads an address to listen at. Port 0 lets the system choose.
 *
 * @throws SyntaxError whose message says what was wanted
 */
export function parseListenAddress(text: string): SocketAddress {
  return text.startsWith('unix:') ? parseUnixAddress(text) : parseTcpAddress(text, LISTEN_FORMS);
}

/**
 * Reads the address of an upstream: a host and a port above 0, or a unix socket.
 *
 * @throws SyntaxError whose message says what was wanted
 */
export function parseUpstreamAddress(text: string): SocketAddress {
  if (text.startsWith('unix:')) return parseUnixAddress(text);
  const address = parseTcpAddress(text, UPSTREAM_FORMS);
  if (address.host === '') throw new SyntaxError(`a host before the port: ${UPSTREAM_FORMS}`);
  if (address.port === 0) throw new SyntaxError('a port from 1 to 65535');
  return address;
}

function parseUnixAddress(text: string): SocketAddress {
  const path = text.slice('unix:'.length);
  if (!path.startsWith('/') || path.includes('\0') || Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES) {
    throw new SyntaxError(`an absolute path of at most ${MAX_UNIX_PATH_BYTES} bytes after "unix:"`);
  }
  return { host: '', port: 0, path };
}

function parseTcpAddress(text: string, forms: string): SocketAddress {
  const match = HOST_AND_PORT.exec(text);
  if (match === null) throw new SyntaxError(whyNotHostAndPort(text, forms));
  const [, bracketed, plain = '', digits] = match;
  const port = Number(digits);
  if (port > 65_535) throw new SyntaxError('a port from 0 to 65535');
  if (bracketed !== undefined) {
    if (!ipaddr.IPv6.isValid(bracketed)) throw new SyntaxError('an IPv6 address within the brackets');
    return { host: bracketed.toLowerCase(), port, path: null };
  }
  if (plain !== '' && !isHostName(plain) && !isIpAddress(plain)) throw new SyntaxError(forms);
  return { host: plain.toLowerCase(), port, path: null };
}

function whyNotHostAndPort(text: string, forms: string): string {
  if (text.includes('://')) return 'a host and a port without a scheme, as in "10.0.0.1:8080"';
  if (ipaddr.IPv6.isValid(text)) return 'an IPv6 address in brackets and a port, as in "[::1]:8080"';
  if (isHostName(text) || isIpAddress(text)) return 'a port after the host, as in "localhost:8080"';
  return forms;
}
