import { createHmac } from 'node:crypto';
import type { HeadFault, RequestScript } from '../scenario/scenario.ts';
import { bodyOf } from './blocks.ts';

export const API_KEY = 'opensesame';
export const TOKEN_SECRET = 'the secret of all tokens, long enough';
export const ALLOWED_ORIGIN = 'https://app.example';
const FOREIGN_ORIGIN = 'https://evil.example';

/** A request as bytes. */
export interface RequestBytes {
  readonly bytes: Buffer;
  /** Where its head ends. */
  readonly headBytes: number;
  /** Where the byte stands that is wrong; null when nothing is. */
  readonly faultAt: number | null;
}

/** The line that names the request: it is for the upstream, and comes back in its reply. */
const markLine = (tag: string): string => `X-Mark: mark-of-${tag}\r\n`;

export function targetOf({ route, tag, key }: RequestScript): string {
  const query = key.endsWith('query') ? `?id=${tag}&api_key=${API_KEY}` : `?id=${tag}`;
  return `/${route}/${tag}${query}`;
}

export function requestBytes(request: RequestScript): RequestBytes {
  const head = Buffer.from(headText(request), 'latin1');
  const { bytes: body, faultAt } = bodyBytes(request);
  const isHeadFault = request.fault?.kind === 'head';
  return {
    bytes: Buffer.concat([head, body]),
    headBytes: head.length,
    faultAt: isHeadFault ? head.length : faultAt === null ? null : head.length + faultAt,
  };
}

function headText(request: RequestScript): string {
  const { method, versionMinor, tag, body, fault } = request;
  const lines = [`Host: sim.test\r\n`, markLine(tag), request.extraLines];
  if (request.close) lines.push('Connection: close\r\n');
  if (request.key === 'header') lines.push(`X-API-Key: ${API_KEY}\r\n`);
  if (request.key.startsWith('token')) lines.push(`Authorization: Bearer ${TOKEN}\r\n`);
  if (request.key === 'wrong') lines.push('X-API-Key: wrongwrong\r\n');
  if (request.origin !== 'none') {
    lines.push(`Origin: ${request.origin === 'allowed' ? ALLOWED_ORIGIN : FOREIGN_ORIGIN}\r\n`);
  }
  if (request.acceptsGzip) lines.push('Accept-Encoding: gzip\r\n');
  if (request.expects) lines.push('Expect: 100-continue\r\n');
  if (request.trailers) lines.push('Trailer: X-Trailer\r\n');
  if (body.framing === 'length') lines.push(`Content-Length: ${body.bytes}\r\n`);
  if (body.framing === 'chunked') lines.push('Transfer-Encoding: chunked\r\n');
  const text = `${method} ${targetOf(request)} HTTP/1.${versionMinor}\r\n${lines.join('')}\r\n`;
  return fault?.kind === 'head' ? BROKEN[fault.what](text) : text;
}

const before = (text: string, line: string): string => text.replace(/\r\n\r\n$/, `\r\n${line}\r\n\r\n`);

/** What makes a head wrong. */
const BROKEN: { readonly [K in HeadFault]: (text: string) => string } = {
  'space before colon': (text) => before(text, 'X-Odd : value'),
  'two framings': (text) => before(text, 'Content-Length: 4\r\nTransfer-Encoding: chunked'),
  'two lengths': (text) => before(text, 'Content-Length: 4\r\nContent-Length: 5'),
  'no host': (text) => text.replace('Host: sim.test\r\n', ''),
  'two hosts': (text) => before(text, 'Host: other.test'),
  'bare line feed': (text) => text.replace('\r\nX-Mark', '\nX-Mark'),
  'bad length': (text) => before(text, 'Content-Length: +5'),
  'unknown coding': (text) =>
    before(text.replace('Transfer-Encoding: chunked\r\n', ''), 'Transfer-Encoding: snappy, chunked'),
  'unknown expectation': (text) => before(text.replace('Expect: 100-continue\r\n', ''), 'Expect: 200-maybe'),
  'version 2': (text) => text.replace(/ HTTP\/1\.[01]\r\n/, ' HTTP/2.0\r\n'),
  'bad target': (text) => text.replace(/ \/\S+ /, ' /%00/x '),
  'large head': (text) => before(text, `X-Large: ${'x'.repeat(9000)}`),
  connect: (text) => text.replace(/^\S+ \S+ /, 'CONNECT sim.test:443 '),
};

/** With which status a head that is wrong in this way has to be refused. */
export const STATUS_OF_FAULT: { readonly [K in HeadFault]: number } = {
  'space before colon': 400,
  'two framings': 400,
  'two lengths': 400,
  'no host': 400,
  'two hosts': 400,
  'bare line feed': 400,
  'bad length': 400,
  'unknown coding': 501,
  'unknown expectation': 417,
  'version 2': 505,
  'bad target': 400,
  'large head': 431,
  connect: 405,
};

function bodyBytes({ tag, body, trailers, fault }: RequestScript): { bytes: Buffer; faultAt: number | null } {
  const { framing, bytes, chunkBytes } = body;
  if (framing === 'none') return { bytes: Buffer.alloc(0), faultAt: null };
  if (framing === 'length') return { bytes: bodyOf(tag, '>', 0, bytes), faultAt: null };
  const badAt = fault?.kind === 'chunk' ? fault.atBytes : null;
  return chunked(bodyOf(tag, '>', 0, bytes), chunkBytes, trailers ? `X-Trailer: trailer-of-${tag}\r\n` : '', badAt);
}

/** In chunks; `badAt`: after so many bytes comes a chunk size that is none. */
export function chunked(
  body: Buffer,
  chunkBytes: number,
  trailers: string,
  badAt: number | null,
): { bytes: Buffer; faultAt: number | null } {
  const parts: Buffer[] = [];
  const whole = badAt === null ? body : body.subarray(0, badAt);
  for (let at = 0; at < whole.length; at += chunkBytes) {
    const chunk = whole.subarray(at, at + chunkBytes);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  if (badAt === null) return { bytes: Buffer.concat([...parts, Buffer.from(`0\r\n${trailers}\r\n`)]), faultAt: null };
  const before = Buffer.concat(parts);
  return { bytes: Buffer.concat([before, Buffer.from('xyz\r\nbad bytes\r\n')]), faultAt: before.length };
}

/** RFC 7519 3.1, good for a lifetime. */
const TOKEN = signedToken({ sub: 'somebody', exp: 4_000_000_000 });

function signedToken(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', TOKEN_SECRET).update(signed).digest('base64url')}`;
}
