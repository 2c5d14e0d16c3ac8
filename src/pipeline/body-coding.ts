import type { Transform } from 'node:stream';
import { FRAMING } from '../http/framing.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Reply } from './reply.ts';

/** A content coding (RFC 9110 8.4.1) that the body of a reply is to go out in. */
export interface BodyCoding {
  /** Codes a body that is all here. */
  whole(bytes: Buffer): Buffer;
  /**
   * Codes piece by piece: all that was written is out when the callback of the write is called, so that no event of a stream waits for the
   * next.
   */
  createStream(): Transform;
}

/** The parts of an exchange that decide how its body is coded. */
export interface CodableReply {
  readonly reply: Reply;
  readonly request: RequestHead;
}

/**
 * Sets the coding of the body before the head of the reply goes out. The caller adds the field Content-Encoding. The length of the coded
 * body is not known. A reply to HEAD has the head of GET, and no body.
 */
export function codeBody({ reply, request }: CodableReply, coding: BodyCoding): void {
  const hasBody = request.method !== 'HEAD';
  reply.contentLength = -1;
  reply.framing = hasBody ? FRAMING.CHUNKED : FRAMING.NONE;
  reply.coding = hasBody ? coding : null;
}
