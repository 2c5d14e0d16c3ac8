import type { Transform } from 'node:stream';
import { FRAMING } from '../http/framing.ts';
import type { Exchange } from './exchange.ts';

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

/**
 * Sets the coding of the body before the head of the reply goes out. The caller adds the field Content-Encoding. The length of the coded
 * body is not known. A reply to HEAD has the head of GET, and no body.
 */
export function codeBody({ reply, request }: Exchange, coding: BodyCoding): void {
  const hasBody = request.method !== 'HEAD';
  reply.contentLength = -1;
  reply.framing = hasBody ? FRAMING.CHUNKED : FRAMING.NONE;
  reply.coding = hasBody ? coding : null;
}

/** Sends the whole body of a reply that the gateway makes: latin1 text, in the coding that its head says. */
export function sendOwnBody(exchange: Exchange, body: string): void {
  const { reply, downstream } = exchange;
  if (reply.coding === null) {
    exchange.replyBodyBytes += body.length;
    downstream?.sendText(body);
    return;
  }
  const coded = reply.coding.whole(Buffer.from(body, 'latin1'));
  exchange.replyBodyBytes += coded.length;
  downstream?.sendData(coded, 0, coded.length);
}
