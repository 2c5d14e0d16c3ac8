import { FRAMING } from '../../http/framing.ts';
import { REQUEST_DROPS, RESPONSE_DROPS } from '../../http/hop-by-hop.ts';
import type { OutgoingRequest, OutgoingResponse } from '../../http/outgoing.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import { reasonPhrase } from '../../http/status.ts';
import { encodePassingFields } from './field-encoder.ts';

/** The head of a request to an upstream, as HTTP/1.1 text. Its framing is written anew from what was understood. */
export function encodeRequestHead(outgoing: OutgoingRequest): string {
  const { request } = outgoing;
  const fields = encodePassingFields(request, REQUEST_DROPS, request.namesHopByHopFields);
  return `${outgoing.method} ${outgoing.outgoingTarget} HTTP/1.1\r\nHost: ${outgoing.outgoingAuthority}\r\n${fields}${
    outgoing.requestAdditions
  }${requestFraming(outgoing)}\r\n`;
}

function requestFraming(outgoing: OutgoingRequest): string {
  const { request } = outgoing;
  if (request.framing === FRAMING.CHUNKED) return 'Transfer-Encoding: chunked\r\n';
  if (request.framing === FRAMING.LENGTH) return `Content-Length: ${request.contentLength}\r\n`;
  // RFC 9110 8.6: a request whose method gives a body a meaning says that it has none.
  return EXPECT_BODY.has(outgoing.method) ? 'Content-Length: 0\r\n' : '';
}

const EXPECT_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** How a reply is sent on one HTTP/1 connection. */
export interface ReplyDelivery {
  /** Send the body in the chunked coding. */
  readonly chunked: boolean;
  /** The value of Connection: `close`, `keep-alive` (for HTTP/1.0 clients) or empty for none. */
  readonly connection: '' | 'close' | 'keep-alive';
}

/** The head of a reply to a client, as HTTP/1.1 text. */
export function encodeResponseHead(outgoing: OutgoingResponse, delivery: ReplyDelivery): string {
  const { source } = outgoing;
  const fields = source === null ? '' : encodePassingFields(source, RESPONSE_DROPS, source.namesHopByHopFields);
  const framing = delivery.chunked ? 'Transfer-Encoding: chunked\r\n' : lengthField(outgoing);
  const connection = delivery.connection === '' ? '' : `Connection: ${delivery.connection}\r\n`;
  return `${statusLine(outgoing.status, source)}${fields}${outgoing.additions}${framing}${connection}\r\n`;
}

/** An interim reply (RFC 9110 15.2) with the fields of the upstream's. */
export function encodeInformationalHead(source: ResponseHead): string {
  const fields = encodePassingFields(source, RESPONSE_DROPS, source.namesHopByHopFields);
  return `${statusLine(source.status, source)}${fields}\r\n`;
}

function statusLine(status: number, source: ResponseHead | null): string {
  const reason = source === null ? reasonPhrase(status) : source.text.slice(source.reasonStart, source.reasonEnd);
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** RFC 9110 8.6: no Content-Length in a 1xx or 204. */
function lengthField(outgoing: OutgoingResponse): string {
  if (outgoing.contentLength < 0 || outgoing.status < 200 || outgoing.status === 204) return '';
  return `Content-Length: ${outgoing.contentLength}\r\n`;
}
