import type { PhotonError } from '../base/errors.ts';
import { FieldGroup } from '../base/field-group.ts';
import { LastText } from '../base/last-text.ts';
import type { FieldList } from '../http/field-list.ts';
import { FRAMING } from '../http/framing.ts';
import { COMMON_METHODS } from '../http/methods.ts';
import { reasonPhrase } from '../http/status.ts';
import { DATE } from './date-field.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { addTraceFields } from './trace-fields.ts';

const PROBLEM_JSON = new FieldGroup([['Content-Type', 'application/problem+json']]);
const PLAIN_TEXT = new FieldGroup([['Content-Type', 'text/plain; charset=utf-8']]);
const ALLOW = new FieldGroup([['Allow', COMMON_METHODS]]);
const RETRY_AFTER = new FieldGroup([], 'Retry-After');

/**
 * Makes the head of the reply to a failure: `application/problem+json` (RFC 9457), or plain text for a client that does not take JSON.
 * Returns its body, latin1 text. The one place where failures become replies.
 */
export function errorHead(context: ExchangeContext, error: PhotonError): string {
  const { reply, request, services, id } = context;
  const asJson = acceptsJson(request.combinedValue('accept'));
  const body = asJson ? problemJson(error, id) : problemText(error, id);
  reply.status = error.status;
  reply.source = null;
  reply.framing = FRAMING.LENGTH;
  reply.contentLength = body.length;
  // The reply that it replaces may have had a coding.
  reply.coding = null;
  reply.additions.clear();
  reply.additions.addGroup(asJson ? PROBLEM_JSON : PLAIN_TEXT);
  addErrorFields(reply.additions, context, error);
  reply.additions.addGroup(DATE, services.date);
  addTraceFields(reply.additions, 1, id);
  return body;
}

/** RFC 9110 15.5.6: 405 says what is allowed. 503 says when to come again. */
function addErrorFields(fields: FieldList, context: ExchangeContext, error: PhotonError): void {
  if (error.fields !== null) fields.addGroup(error.fields);
  else if (error.status === 405) fields.addGroup(ALLOW);
  else if (error.status === 503) fields.addGroup(RETRY_AFTER, String(retryAfterSeconds(context, error)));
}

/**
 * An upstream at its limit may have a free connection at any time. For upstreams that are not well, the backend knows the time of the next
 * check or probe.
 */
function retryAfterSeconds({ route }: ExchangeContext, error: PhotonError): number {
  return error.code === 'no_upstream' && route !== null ? route.backend.current.retryAfterSeconds : 1;
}

/** The last failure, and its problem document without the request id: the same failures come again and again. */
let lastCode = '';
let lastDetail = '';
let lastProblem = '';

/** Request ids have no character that JSON escapes (`isSaneRequestId`). */
function problemJson({ code, title, status, message: detail }: PhotonError, requestId: string): string {
  if (code !== lastCode || detail !== lastDetail) {
    const problem = { type: `urn:photon:error:${code}`, title, status, detail };
    lastProblem = escapeNonAscii(JSON.stringify(problem)).slice(0, -1);
    lastCode = code;
    lastDetail = detail;
  }
  return `${lastProblem},"request_id":"${requestId}"}\n`;
}

function problemText(error: PhotonError, requestId: string): string {
  return escapeNonAscii(
    `${error.status} ${reasonPhrase(error.status)}\n${error.title}: ${error.message}\nrequest_id: ${requestId}\n`,
  );
}

/** The body is sent as latin1, one byte a character: characters outside of ASCII are written as JSON escapes. */
function escapeNonAscii(text: string): string {
  return text.replace(/[^\n\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** By the text of Accept: a client that is refused often sends the same every time. */
const lastAccept = new LastText(rangesTakeJson);

/** RFC 9110 12.5.1: without Accept every type is acceptable. A client that takes JSON takes a problem document too. */
function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || lastAccept.of(accept);
}

function rangesTakeJson(accept: string): boolean {
  const ranges = accept.split(',').map(parseRange);
  if (ranges.some(({ type, refused }) => refused && type === 'application/problem+json')) return false;
  return takes(ranges, 'application/problem+json') || takes(ranges, 'application/json');
}

interface MediaRange {
  readonly type: string;
  /** Its weight is 0: this range is not acceptable. */
  readonly refused: boolean;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  return { type, refused: parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter)) };
}

/** Whether the most specific range that matches this type of `application` accepts it. */
function takes(ranges: readonly MediaRange[], type: string): boolean {
  for (const candidate of [type, 'application/*', '*/*']) {
    const range = ranges.find((each) => each.type === candidate);
    if (range !== undefined) return !range.refused;
  }
  return false;
}
