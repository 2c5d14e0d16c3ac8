import type { PhotonError } from '../base/errors.ts';
import { FRAMING } from '../http/framing.ts';
import { reasonPhrase } from '../http/status.ts';
import { sendOwnBody } from './body-coding.ts';
import type { Exchange } from './exchange.ts';
import { passBack } from './pass-back.ts';
import { traceLines } from './trace-lines.ts';

/**
 * Makes the reply of a failure: `application/problem+json` (RFC 9457), or plain text for a client that does not take JSON.
 * `extraLines`: field lines that belong to it, each with its CRLF. The one place where failures become bytes.
 */
export function sendErrorReply(exchange: Exchange, error: PhotonError, extraLines: string): void {
  const { reply, request, downstream, services } = exchange;
  if (downstream === null) return;
  const asJson = acceptsJson(request.combinedValue('accept'));
  const body = asJson ? problemJson(error, exchange.id) : problemText(error, exchange.id);
  reply.status = error.status;
  reply.source = null;
  reply.framing = FRAMING.LENGTH;
  reply.contentLength = body.length;
  // The reply whose place it takes may have been about to have one.
  reply.coding = null;
  reply.additions = `Content-Type: ${asJson ? 'application/problem+json' : 'text/plain; charset=utf-8'}\r\n${extraLines}Date: ${
    services.date
  }\r\n${traceLines(1, exchange.id)}`;
  passAllTheWayBack(exchange);
  exchange.replyStarted = true;
  // A body that still comes would be taken for the next request: the connection ends with this reply.
  downstream.sendHead(reply, error.closesConnection || !downstream.requestComplete);
  if (request.method !== 'HEAD') sendOwnBody(exchange, body);
  downstream.sendEnd();
}

/** A middleware that fails on an error reply has been told of: the reply goes out without its lines. */
function passAllTheWayBack(exchange: Exchange): void {
  while (exchange.unreturned > 0) {
    try {
      passBack(exchange);
    } catch {}
  }
}

function problemJson(error: PhotonError, requestId: string): string {
  const problem = {
    type: `urn:photon:error:${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    request_id: requestId,
  };
  return `${escapeNonAscii(JSON.stringify(problem))}\n`;
}

function problemText(error: PhotonError, requestId: string): string {
  return escapeNonAscii(
    `${error.status} ${reasonPhrase(error.status)}\n${error.title}: ${error.message}\nrequest_id: ${requestId}\n`,
  );
}

/** The body is sent as latin1, one byte a character: what is not ASCII is written as JSON escapes it. */
function escapeNonAscii(text: string): string {
  return text.replace(/[^\n\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** RFC 9110 12.5.1: no Accept means anything. Who takes plain JSON takes a problem in JSON too. */
function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  const ranges = accept.split(',').map(parseRange);
  if (ranges.some(({ type, refused }) => refused && type === 'application/problem+json')) return false;
  return takes(ranges, 'application/problem+json') || takes(ranges, 'application/json');
}

interface MediaRange {
  readonly type: string;
  /** Its weight is 0: not this one. */
  readonly refused: boolean;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  return { type, refused: parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter)) };
}

/** What the most specific range says that a media type of `application` is within. */
function takes(ranges: readonly MediaRange[], type: string): boolean {
  for (const candidate of [type, 'application/*', '*/*']) {
    const range = ranges.find((each) => each.type === candidate);
    if (range !== undefined) return !range.refused;
  }
  return false;
}
