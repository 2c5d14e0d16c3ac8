import { METHODS } from 'node:http';
import { PhotonError } from '../../../src/base/errors.ts';
import { parseAuthority } from '../../../src/http/authority.ts';
import { RequestTarget } from '../../../src/http/target.ts';
import { type DecodedRequest, type DecodedResponse, decodeBody, decodeRequest, decodeResponse } from './decode.ts';
import type { ParsedRequest } from './second-opinion.ts';
import type { ParsedReply, ParsedReplyHead } from './second-opinion-on-replies.ts';

/** What our decoders make of whole messages, in the form in which node:http tells what it made of them. */

export interface RequestsRead {
  readonly requests: readonly ParsedRequest[];
  /** How many bytes they take. */
  readonly bytes: number;
}

/**
 * The requests that `bytes` begins with, one after the other, up to the first that is refused or unfinished. Methods that
 * node:http does not know end it too, and CONNECT: it asks for a tunnel, and we refuse it. `cut`: where each body comes in
 * two pieces, as a fraction of what is left.
 */
export function readRequests(bytes: Buffer, cut: number): RequestsRead {
  const requests: ParsedRequest[] = [];
  let position = 0;
  while (position < bytes.length) {
    const head = decodeRequest(bytes.subarray(position));
    if (typeof head !== 'object' || !('method' in head)) break;
    if (!METHODS.includes(head.method) || head.method === 'CONNECT' || !hasTarget(head)) break;
    const rest = bytes.subarray(position + head.headBytes);
    const body = decodeBody(inTwo(rest, cut), head.framing, head.contentLength);
    if (!('complete' in body && body.complete)) break;
    const { method, target, versionMinor, fields } = head;
    requests.push({
      method,
      target,
      version: `1.${versionMinor}`,
      fields,
      body: body.content,
      trailers: body.trailers,
    });
    position += head.headBytes + body.bytes;
    // node:http leaves unread what follows an offer to upgrade that nobody takes. We go on with HTTP (RFC 9110 7.8).
    if (!head.persistent || fields.some(([name]) => name.toLowerCase() === 'upgrade')) break;
  }
  return { requests, bytes: position };
}

/** A target is a part of the head that is read after the rest. */
function hasTarget({ method, target }: DecodedRequest): boolean {
  try {
    const parsed = new RequestTarget();
    parsed.parse(target, method, true);
    if (parsed.authority !== null) parseAuthority(parsed.authority);
    return true;
  } catch (error) {
    if (error instanceof PhotonError) return false;
    throw error;
  }
}

export interface ReplyRead {
  readonly reply: ParsedReply;
  /** How many bytes it takes. */
  readonly bytes: number;
}

/** The reply to a request of `method` that `bytes` begins with; null when it is refused or unfinished. */
export function readReply(method: string, bytes: Buffer, cut: number): ReplyRead | null {
  const informational: ParsedReplyHead[] = [];
  let position = 0;
  for (;;) {
    const head = decodeResponse(bytes.subarray(position), { toHead: method === 'HEAD' });
    if (typeof head !== 'object' || !('status' in head) || head.status === 101) return null;
    position += head.headBytes;
    if (head.status >= 200) return withBody(head, informational, bytes, position, cut);
    informational.push(replyHead(head));
  }
}

function withBody(
  head: DecodedResponse,
  informational: readonly ParsedReplyHead[],
  bytes: Buffer,
  bodyStart: number,
  cut: number,
): ReplyRead | null {
  const body = decodeBody(inTwo(bytes.subarray(bodyStart), cut), head.framing, head.contentLength);
  const untilClose = head.framing === 'UNTIL_CLOSE';
  if (!('complete' in body) || !(body.complete || untilClose)) return null;
  const endsWith = untilClose ? 'the connection' : 'the last byte';
  return {
    reply: { ...replyHead(head), informational, body: body.content, trailers: body.trailers, endsWith },
    bytes: bodyStart + body.bytes,
  };
}

function replyHead({ versionMinor, status, reason, fields }: DecodedResponse): ParsedReplyHead {
  return { version: `1.${versionMinor}`, status, reason, fields };
}

function inTwo(bytes: Buffer, cut: number): readonly Buffer[] {
  const at = Math.floor(cut * bytes.length);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}
