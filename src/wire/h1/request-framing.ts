import { PhotonError } from '../../base/errors.ts';
import { flatText } from '../../base/latin1.ts';
import { trimBlanks } from '../../http/characters.ts';
import { FIELD } from '../../http/field-names.ts';
import { FIELD_STRIDE, NUMBER } from '../../http/fields.ts';
import { FRAMING } from '../../http/framing.ts';
import type { RequestHead } from '../../http/request-head.ts';
import { readConnectionField } from './connection-options.ts';
import { parseDigits } from './digits.ts';
import { isChunked } from './transfer-coding.ts';

/**
 * Decides once what a request's fields mean for its connection: how the body ends (RFC 9112 6.3), whether the connection
 * persists, which host it is for, what it expects. Throws PhotonError for whatever could be read in two ways.
 */
export function settleRequest(head: RequestHead): void {
  head.persistent = head.versionMinor === 1;
  let lengths = 0;
  let codings = 0;
  let hosts = 0;
  let closes = false;
  const { index, count } = head;
  for (let field = 0, at = NUMBER; field < count; field++, at += FIELD_STRIDE) {
    switch (index[at]) {
      case FIELD.OTHER:
        break;
      case FIELD.HOST:
        hosts++;
        head.host = readHost(head, field);
        break;
      case FIELD.CONTENT_LENGTH:
        lengths++;
        head.contentLength = readContentLength(head.value(field));
        break;
      case FIELD.TRANSFER_ENCODING:
        codings++;
        if (!isChunked(head, field)) throw otherCoding(head.value(field));
        break;
      case FIELD.CONNECTION:
        closes = readConnectionField(head, head.value(field)) || closes;
        break;
      case FIELD.EXPECT:
        requireKnownExpectation(head.value(field));
        break;
      default:
        break;
    }
  }
  if (closes) head.persistent = false;
  requireOneHost(head, hosts);
  if (lengths + codings > 0) settleBody(head, lengths, codings);
}

/** The value of Host seen last: clients of one gateway name few, and the same string again compares in no time. */
let lastHost = '';

function readHost(head: RequestHead, field: number): string {
  if (!head.hasValue(field, lastHost)) lastHost = flatText(head.value(field));
  return lastHost;
}

function settleBody(head: RequestHead, lengths: number, codings: number): void {
  // RFC 9112 6.3 item 3 would let a proxy drop Content-Length and go on. We refuse: two framings in one message is how
  // smuggling starts, and no honest client sends both.
  if (lengths > 0 && codings > 0) throw ambiguous('Content-Length and Transfer-Encoding stand in one request.');
  // RFC 9110 8.6 would let equal repeated lengths pass. We refuse them too.
  if (lengths > 1) throw ambiguous('There is more than one Content-Length.');
  if (codings > 1) throw ambiguous('There is more than one Transfer-Encoding.');
  if (codings === 1) {
    // RFC 9112 6.1: a recipient of HTTP/1.0 with Transfer-Encoding must treat the framing as faulty.
    if (head.versionMinor === 0) throw ambiguous('An HTTP/1.0 request has a Transfer-Encoding.');
    head.framing = FRAMING.CHUNKED;
  } else {
    head.framing = head.contentLength > 0 ? FRAMING.LENGTH : FRAMING.NONE;
  }
}

function readContentLength(value: string): number {
  const length = parseDigits(value);
  if (length < 0) throw ambiguous('Content-Length must be digits only.');
  return length;
}

function otherCoding(value: string): PhotonError {
  const codings = value.split(',').map((coding) => trimBlanks(coding).toLowerCase());
  if (codings.includes('chunked')) {
    const last = codings.at(-1) === 'chunked' && codings.indexOf('chunked') === codings.length - 1;
    if (!last) return ambiguous('Transfer-Encoding must have chunked once, as its last coding.');
  }
  return new PhotonError('unknown_transfer_coding', 'Only the chunked transfer coding is understood.');
}

/** RFC 9110 10.1.1. A known one is passed on: the upstream answers it. */
function requireKnownExpectation(value: string): void {
  if (value.toLowerCase() !== '100-continue') {
    throw new PhotonError('unknown_expectation', 'The only expectation understood is 100-continue.');
  }
}

function requireOneHost(head: RequestHead, hosts: number): void {
  // RFC 9112 3.2: 400 for an HTTP/1.1 request without Host and for any request with more than one.
  if (hosts > 1) throw new PhotonError('bad_host', 'There is more than one Host field.');
  if (hosts === 0 && head.versionMinor === 1)
    throw new PhotonError('bad_host', 'An HTTP/1.1 request needs a Host field.');
}

function ambiguous(detail: string): PhotonError {
  return new PhotonError('ambiguous_framing', detail);
}
