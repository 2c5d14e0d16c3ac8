import type { FieldDrops } from '../../http/field-drops.ts';
import type { FieldList } from '../../http/field-list.ts';
import { FRAMING } from '../../http/framing.ts';
import { REQUEST_DROPS, REQUEST_DROPS_BUT_HOST, RESPONSE_DROPS } from '../../http/hop-by-hop.ts';
import type { OutgoingRequest, OutgoingResponse } from '../../http/outgoing.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import { reasonPhrase } from '../../http/status.ts';
import { encodeFieldList, encodePassingFields, encodeRuns } from './field-encoder.ts';

/**
 * The head of a request to an upstream, as HTTP/1.1 text. The framing is written from what was decoded. `close`: it is the last
 * one of its connection.
 */
export function encodeRequestHead(outgoing: OutgoingRequest, close = false): string {
  const connection = close ? 'Connection: close\r\n' : '';
  const fields = encodeFieldList(passingRequest(outgoing), outgoing.requestAdditions);
  return `${fields}${requestFraming(outgoing)}${connection}\r\n`;
}

/** The head of a GET that the gateway sends for itself, as HTTP/1.1 text. Host is among the fields. */
export function encodeOwnRequestHead(target: string, fields: FieldList): string {
  return `${encodeFieldList(`GET ${target} HTTP/1.1\r\n`, fields)}\r\n`;
}

/** The request line, Host and the fields that pass. */
function passingRequest(outgoing: OutgoingRequest): string {
  const { request, requestDrops } = outgoing;
  if (isRightAsReceived(outgoing)) return encodeRuns(request, REQUEST_DROPS_BUT_HOST, 0, requestDrops);
  const fields = encodePassingFields(request, REQUEST_DROPS, request.namesHopByHopFields, requestDrops);
  return `${outgoing.method} ${outgoing.outgoingTarget} HTTP/1.1\r\nHost: ${outgoing.outgoingAuthority}\r\n${fields}`;
}

/** What would be written for the request line and Host are the very bytes that were decoded. */
function isRightAsReceived(outgoing: OutgoingRequest): boolean {
  const { request, requestDrops } = outgoing;
  return (
    request.canonical &&
    // Every request has a Host, whatever does not pass.
    (requestDrops === null || !requestDrops.hasHost) &&
    !request.namesHopByHopFields &&
    request.versionMinor === 1 &&
    outgoing.method === request.method &&
    outgoing.outgoingTarget === request.target &&
    outgoing.outgoingAuthority === request.host
  );
}

function requestFraming({ request, method }: OutgoingRequest): string {
  if (request.framing === FRAMING.CHUNKED) return 'Transfer-Encoding: chunked\r\n';
  if (request.framing === FRAMING.LENGTH) return `Content-Length: ${request.contentLength}\r\n`;
  // RFC 9110 8.6: a request whose method gives a body a meaning says that it has none.
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? 'Content-Length: 0\r\n' : '';
}

/** How a reply is sent on one HTTP/1 connection. */
export interface ReplyDelivery {
  /** Send the body in the chunked coding. */
  readonly chunked: boolean;
  /** The value of Connection: `close`, `keep-alive` (for HTTP/1.0 clients) or empty for none. */
  readonly connection: '' | 'close' | 'keep-alive';
}

/** The head of a reply to a client, as HTTP/1.1 text. */
export function encodeResponseHead(outgoing: OutgoingResponse, delivery: ReplyDelivery): string {
  const { status, source } = outgoing;
  const passing =
    source === null
      ? `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`
      : passingResponse(status, source, outgoing.drops);
  const framing = delivery.chunked ? 'Transfer-Encoding: chunked\r\n' : lengthField(outgoing);
  const connection = delivery.connection === '' ? '' : `Connection: ${delivery.connection}\r\n`;
  return `${encodeFieldList(passing, outgoing.additions)}${framing}${connection}\r\n`;
}

/** An interim reply (RFC 9110 15.2) with the fields of the upstream's. */
export function encodeInformationalHead(source: ResponseHead): string {
  return `${passingResponse(source.status, source, null)}\r\n`;
}

/** The status line and the fields that pass. */
function passingResponse(status: number, source: ResponseHead, drops: FieldDrops | null): string {
  if (
    source.canonical &&
    !source.namesHopByHopFields &&
    source.status === status &&
    source.reasonStart === REASON_START
  ) {
    const runs = encodeRuns(source, RESPONSE_DROPS, source.versionMinor === 1 ? 0 : VERSION_END, drops);
    return source.versionMinor === 1 ? runs : `HTTP/1.1${runs}`;
  }
  const reason = source.text.slice(source.reasonStart, source.reasonEnd);
  const fields = encodePassingFields(source, RESPONSE_DROPS, source.namesHopByHopFields, drops);
  return `HTTP/1.1 ${status} ${reason}\r\n${fields}`;
}

/** In a status line with all its blanks. */
const VERSION_END = 'HTTP/1.1'.length;
const REASON_START = 'HTTP/1.1 200 '.length;

/** RFC 9110 8.6: no Content-Length in a 1xx or 204. */
function lengthField(outgoing: OutgoingResponse): string {
  if (outgoing.contentLength < 0 || outgoing.status < 200 || outgoing.status === 204) return '';
  return `Content-Length: ${outgoing.contentLength}\r\n`;
}
