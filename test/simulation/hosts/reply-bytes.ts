import type { ReplyHeadFault, ReplyScript } from '../scenario/scenario.ts';
import { bodyOf } from './blocks.ts';
import { chunked } from './request-bytes.ts';

/** A reply as bytes. */
export interface ReplyBytes {
  readonly bytes: Buffer;
  readonly headBytes: number;
  /** Where the byte stands that makes it no reply; null when nothing does. */
  readonly faultAt: number | null;
  /** Where it ends; bytes behind that belong to nothing. */
  readonly endAt: number;
}

/** Whether there is a body, whatever the head says (RFC 9112 6.3). */
export const isBodyless = (method: string, status: number): boolean =>
  method === 'HEAD' || status === 204 || status === 304;

/** `attempt`: how often the request has come, from 1. */
export function replyBytes(reply: ReplyScript, tag: string, method: string, attempt: number): ReplyBytes {
  const head = Buffer.from(headText(reply, tag, attempt), 'latin1');
  const { fault, framing, bytes, chunkBytes } = reply;
  const content = bodyOf(tag, '<', 0, bytes);
  const trailers = reply.trailers ? `X-Trailer: trailer-of-${tag}\r\n` : '';
  const badAt = fault?.kind === 'chunk' ? fault.atBytes : null;
  const isFaultyHead = fault?.kind === 'malformed';
  let body: Buffer = Buffer.alloc(0);
  let faultAt: number | null = isFaultyHead ? head.length : null;
  if (!isBodyless(method, reply.status) && framing !== 'none') {
    if (framing === 'chunked') {
      const inChunks = chunked(content, chunkBytes, trailers, badAt);
      body = inChunks.bytes;
      if (inChunks.faultAt !== null) faultAt ??= head.length + inChunks.faultAt;
    } else body = content;
  }
  return {
    bytes: Buffer.concat([head, body]),
    headBytes: head.length,
    faultAt,
    endAt: head.length + body.length,
  };
}

function headText(reply: ReplyScript, tag: string, attempt: number): string {
  const lines = [`X-Sim-Reply: ${tag}/${attempt}\r\nX-Mark: mark-of-${tag}\r\n`, reply.extraLines];
  if (reply.framing === 'length') lines.push(`Content-Length: ${reply.bytes}\r\n`);
  if (reply.framing === 'chunked') lines.push('Transfer-Encoding: chunked\r\n');
  if (reply.framing === 'none' && reply.status !== 204 && reply.status !== 304) lines.push('Content-Length: 0\r\n');
  if (reply.closes) lines.push('Connection: close\r\n');
  lines.push('Content-Type: text/plain\r\n');
  const interims = reply.interims.map((status) => `HTTP/1.1 ${status} Early\r\nX-Interim: ${tag}\r\n\r\n`).join('');
  const text = `HTTP/1.${reply.versionMinor} ${reply.status} Simulated\r\n${lines.join('')}\r\n`;
  return interims + (reply.fault?.kind === 'malformed' ? BROKEN[reply.fault.what](text) : text);
}

const before = (text: string, line: string): string => text.replace(/\r\n\r\n$/, `\r\n${line}\r\n\r\n`);

const BROKEN: { readonly [K in ReplyHeadFault]: (text: string) => string } = {
  'status line': (text) => text.replace(/^HTTP\/1\.[01] /, 'HTTQ/1.1 '),
  'two framings': (text) =>
    before(
      text.replace(/Content-Length: \d+\r\n|Transfer-Encoding: chunked\r\n/g, ''),
      'Content-Length: 4\r\nTransfer-Encoding: chunked',
    ),
  'two lengths': (text) =>
    before(
      text.replace(/Content-Length: \d+\r\n|Transfer-Encoding: chunked\r\n/g, ''),
      'Content-Length: 4\r\nContent-Length: 5',
    ),
  'bad length': (text) =>
    before(text.replace(/Content-Length: \d+\r\n|Transfer-Encoding: chunked\r\n/g, ''), 'Content-Length: -5'),
  switching: (text) =>
    text.replace(/ \d{3} Simulated/, ' 101 Switching').replace('\r\n', '\r\nUpgrade: other\r\nConnection: upgrade\r\n'),
  'space before colon': (text) => before(text, 'X-Odd : value'),
};
