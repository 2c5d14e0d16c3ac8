import { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING } from '../http/framing.ts';
import { isIdempotent } from '../http/methods.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import type { RoutePlan } from './generation.ts';
import { beginTry, tryFailed } from './outcome.ts';

/** A body up to this size is kept while it is sent, so that it can be sent again. */
const MAX_KEPT_BODY_BYTES = 16 * 1024;

/** Sends the request to an upstream of the route's backend: choose, send; `judgeFailure` decides what a failure leads to. */
export function forward(exchange: Exchange): void {
  // Sound: `forward` is the step after routing.
  const route = exchange.route as RoutePlan;
  prepare(exchange);
  send(exchange, route.backend.pick(exchange), false);
}

/** What goes upstream whichever the upstream is. */
function prepare(exchange: Exchange): void {
  const { request, maxBodyBytes } = exchange;
  if (maxBodyBytes !== null && request.contentLength > maxBodyBytes) throw bodyTooLarge(maxBodyBytes);
  exchange.sentBody = request.framing !== FRAMING.NONE && isIdempotent(request.method) ? [] : null;
}

function send(exchange: Exchange, upstream: Upstream, fresh: boolean): void {
  exchange.upstream = upstream;
  beginTry(exchange, upstream);
  exchange.tries++;
  if (exchange.generation?.timed) exchange.sentMs = exchange.services.nowMs;
  exchange.outgoingAuthority = authorityFor(exchange, upstream);
  // Sound: `downstream` is set before an exchange begins.
  const { peer } = exchange.downstream as NonNullable<typeof exchange.downstream>;
  const stream = upstream.lend(exchange, fresh, peer);
  exchange.stream = stream;
  stream.sendHead(exchange);
  for (const part of exchange.sentBody ?? []) stream.sendData(part, 0, part.length);
  if (exchange.request.framing === FRAMING.NONE || exchange.requestEnd) stream.sendEnd();
}

function authorityFor(exchange: Exchange, upstream: Upstream): string {
  const { upstreamHost } = exchange.route as RoutePlan;
  if (typeof upstreamHost === 'object') return upstreamHost.name;
  const written = exchange.target.authority ?? exchange.request.host;
  if (upstreamHost === 'preserve' && written !== null) return written;
  return upstream.config.path === null ? upstream.config.address : 'localhost';
}

/** A part of the request's body has come. */
export function forwardData(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
  const { stream, downstream, maxBodyBytes } = exchange;
  exchange.requestBodyBytes += end - start;
  if (maxBodyBytes !== null && exchange.requestBodyBytes > maxBodyBytes) {
    failExchange(exchange, bodyTooLarge(maxBodyBytes));
    return;
  }
  if (stream === null || downstream === null) return;
  keepBody(exchange, bytes, start, end);
  if (!stream.sendData(bytes, start, end)) downstream.pauseRequest();
}

function keepBody(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
  if (exchange.sentBody === null) return;
  if (exchange.requestBodyBytes > MAX_KEPT_BODY_BYTES) exchange.sentBody = null;
  else exchange.sentBody.push(Buffer.from(bytes.subarray(start, end)));
}

export function forwardTrailers(exchange: Exchange, trailers: Fields): void {
  // What was sent cannot be sent again in the same way.
  exchange.sentBody = null;
  exchange.stream?.sendTrailers(trailers);
}

/** The request is complete. */
export function finishForwarding(exchange: Exchange): void {
  exchange.requestEnd = true;
  exchange.stream?.sendEnd();
}

/**
 * The upstream failed. A connection from the pool may have been dead for a while without our knowing: then the request is sent
 * once more on a fresh one, if that is safe. Otherwise the client is told, or its reply cut.
 */
export function judgeFailure(exchange: Exchange, error: PhotonError): void {
  const { stream, upstream } = exchange;
  exchange.stream = null;
  if (stream !== null && upstream !== null && mayTryFresh(exchange, error) && stream.reused && stream.replyUntouched) {
    exchange.triedFresh = true;
    sendAgain(exchange, upstream);
    return;
  }
  tryFailed(exchange, error);
  failExchange(exchange, error);
}

function sendAgain(exchange: Exchange, upstream: Upstream): void {
  try {
    send(exchange, upstream, true);
    exchange.downstream?.resumeRequest();
  } catch (error) {
    failExchange(exchange, error);
  }
}

/**
 * RFC 9110 9.2.2: a request is repeated only when its method is idempotent, and here only when all that was sent of it is still
 * at hand. A POST may have taken effect although no reply came: its client has to decide.
 */
function mayTryFresh(exchange: Exchange, error: PhotonError): boolean {
  if (error.code !== 'upstream_reset' || exchange.triedFresh || exchange.replyStarted) return false;
  if (!isIdempotent(exchange.request.method)) return false;
  return exchange.request.framing === FRAMING.NONE || exchange.sentBody !== null;
}

function bodyTooLarge(maxBodyBytes: number): PhotonError {
  return new PhotonError('body_too_large', `The request body is larger than ${maxBodyBytes} bytes.`);
}
