import type { PhotonError } from '../base/errors.ts';
import { FieldGroup } from '../base/field-group.ts';
import { FIELD } from '../http/field-names.ts';
import type { Fields } from '../http/fields.ts';
import { CodedBody } from './coded-body.ts';
import { DATE } from './date-field.ts';
import { isEventStream } from './event-stream.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import { finish } from './finish.ts';
import { type HeldReply, holdReply, pauseSource } from './hold-reply.ts';
import { attemptSucceeded, judgeHead } from './outcome.ts';
import { runResponseHooks } from './run-response-hooks.ts';
import { addTraceFields } from './trace-fields.ts';

const SET_COOKIE = new FieldGroup([], 'Set-Cookie');

/** The upstream's head is here: the reply begins. */
export function beginReply(exchange: Exchange): void {
  try {
    sendReply(exchange);
  } catch (error) {
    failExchange(exchange, error);
  }
}

function sendReply(exchange: Exchange): void {
  const { response, reply } = exchange;
  reply.status = response.status;
  exchange.upstreamStatus = response.status;
  if (exchange.generation?.recordsTimings) exchange.answeredMs = exchange.services.nowMs;
  judgeHead(exchange);
  reply.source = response;
  reply.framing = response.framing;
  reply.contentLength = response.contentLength;
  reply.additions.clear();
  addTraceFields(reply.additions, response.versionMinor, exchange.id);
  // RFC 9110 6.6.1: a recipient with a clock dates a reply that came without.
  if (response.find(FIELD.DATE) === -1) reply.additions.addGroup(DATE, exchange.services.date);
  if (exchange.responseHooksLeft > 0) continueReply(exchange, null);
  else startReply(exchange);
}

/** Runs the response hooks that are left, and sends the head with the part of the body that has come meanwhile. */
function continueReply(exchange: Exchange, failure: PhotonError | null): void {
  if (failure !== null) throw failure;
  const hook = runResponseHooks(exchange);
  if (hook !== null) {
    holdReply(exchange, hook, null, continueReply);
    return;
  }
  const { held } = exchange;
  exchange.held = null;
  startReply(exchange);
  if (held !== null) release(exchange, held);
}

function startReply(exchange: Exchange): void {
  const { response, reply, downstream } = exchange;
  addStickyCookie(exchange);
  exchange.replyStarted = true;
  if (reply.coding !== null) exchange.codedBody = new CodedBody(exchange, reply.coding);
  if (exchange.deadline.armed && isEventStream(response)) exchange.deadline.disarm();
  // A reply that comes before its request is complete may also end before it: then the rest of the request would be read as another
  // request.
  downstream?.sendHead(reply, !downstream.requestComplete);
}

/** Sets the sticky cookie of the upstream that answers, if sessions are sticky and the client does not have it. */
function addStickyCookie(exchange: Exchange): void {
  const { route, upstream, reply } = exchange;
  const sticky = route === null ? null : route.backend.current.sticky;
  const cookie = sticky === null || upstream === null ? null : sticky.cookieFor(exchange, upstream);
  if (cookie !== null) reply.additions.addGroup(SET_COOKIE, cookie);
}

export function passInformational(exchange: Exchange): void {
  exchange.interimPassed = true;
  exchange.downstream?.sendInformational(exchange.response);
}

/** Sends the part of the reply that was kept while the head waited. */
function release(exchange: Exchange, { body, trailers, complete }: HeldReply): void {
  // The upstream is resumed first, so that a slow client can pause it again.
  exchange.stream?.resumeResponse();
  const bytes = Buffer.concat(body);
  replyData(exchange, bytes, 0, bytes.length);
  if (trailers !== null) replyTrailers(exchange, trailers);
  if (complete) endReply(exchange);
}

export function replyData(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
  const { downstream, stream, held, codedBody } = exchange;
  if (held !== null) {
    held.body.push(Buffer.from(bytes.subarray(start, end)));
    return;
  }
  if (codedBody !== null) {
    codedBody.write(bytes, start, end);
    return;
  }
  exchange.replyBodyBytes += end - start;
  if (downstream !== null && !downstream.sendData(bytes, start, end)) stream?.pauseResponse();
}

export function replyTrailers(exchange: Exchange, trailers: Fields): void {
  const { downstream, held, codedBody } = exchange;
  if (held !== null) held.trailers = trailers.copy();
  else if (codedBody !== null) codedBody.trailers = trailers;
  else downstream?.sendTrailers(trailers);
}

/** The reply is complete. */
export function endReply(exchange: Exchange): void {
  exchange.stream = null;
  attemptSucceeded(exchange);
  if (exchange.held !== null) {
    exchange.held.complete = true;
    pauseSource(exchange);
    return;
  }
  if (exchange.codedBody !== null) {
    exchange.codedBody.end();
    return;
  }
  exchange.downstream?.sendEnd();
  finish(exchange);
}
