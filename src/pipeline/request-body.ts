import { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING } from '../http/framing.ts';
import { isIdempotent } from '../http/methods.ts';
import type { UpstreamStream } from '../net/streams.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import { requestHandedOver } from './outcome.ts';

/** A body up to this size is kept while it is sent, so that it can be sent again. */
const MAX_KEPT_BODY_BYTES = 16 * 1024;

/** Refuses a body whose Content-Length is too large. */
export function checkBodyLength({ request, maxBodyBytes }: Exchange): void {
  if (maxBodyBytes !== null && request.contentLength > maxBodyBytes) throw bodyTooLarge(maxBodyBytes);
}

/** A part of the request's body has come. */
export function forwardData(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
  const { stream, downstream, maxBodyBytes } = exchange;
  exchange.requestBodyBytes += end - start;
  if (exchange.requestUnwanted) return;
  if (maxBodyBytes !== null && exchange.requestBodyBytes > maxBodyBytes) {
    failExchange(exchange, bodyTooLarge(maxBodyBytes));
    return;
  }
  keepBody(exchange, bytes, start, end);
  if (stream !== null && !stream.sendData(bytes, start, end)) downstream?.pauseRequest();
}

function keepBody(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
  // Request hooks may be pending: then there is no stream yet.
  if (exchange.stream === null) exchange.sentBody ??= [];
  if (exchange.sentBody === null) return;
  if (mayBeSentAgain(exchange)) exchange.sentBody.push(Buffer.from(bytes.subarray(start, end)));
  else exchange.sentBody = null;
}

/**
 * While the request waits all of the body is kept: the client is paused, so that these are only bytes that had been read already.
 * A request that must not be repeated is kept as long as nothing of it has left.
 */
function mayBeSentAgain({ stream, request, requestBodyBytes }: Exchange): boolean {
  if (stream === null) return true;
  return requestBodyBytes <= MAX_KEPT_BODY_BYTES && (stream.unsent || isIdempotent(request.method));
}

export function forwardTrailers(exchange: Exchange, trailers: Fields): void {
  const { stream } = exchange;
  if (stream === null) {
    exchange.keptTrailers = trailers.copy();
    return;
  }
  // A request whose trailers were sent cannot be sent again.
  exchange.sentBody = null;
  stream.sendTrailers(trailers);
}

/** The request is complete. */
export function finishForwarding(exchange: Exchange): void {
  exchange.requestEnd = true;
  if (exchange.stream !== null) endRequest(exchange, exchange.stream);
}

function endRequest(exchange: Exchange, stream: UpstreamStream): void {
  requestHandedOver(exchange);
  stream.sendEnd();
}

/** Sends the part of the body that has come so far, for the first time or again. */
export function sendKept(exchange: Exchange, stream: UpstreamStream): void {
  const { request, sentBody, keptTrailers } = exchange;
  if (request.framing === FRAMING.NONE) {
    endRequest(exchange, stream);
    return;
  }
  for (const part of sentBody ?? []) stream.sendData(part, 0, part.length);
  if (!mayBeSentAgain(exchange)) exchange.sentBody = null;
  if (keptTrailers !== null) {
    exchange.keptTrailers = null;
    forwardTrailers(exchange, keptTrailers);
  }
  if (exchange.requestEnd) endRequest(exchange, stream);
}

function bodyTooLarge(maxBodyBytes: number): PhotonError {
  return new PhotonError('body_too_large', `The request body is larger than ${maxBodyBytes} bytes.`);
}
