import { PhotonError } from '../../base/errors.ts';
import { FIELD } from '../../http/field-names.ts';
import { FIELD_STRIDE, NUMBER } from '../../http/fields.ts';
import { FRAMING } from '../../http/framing.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import { readConnectionField } from './connection-options.ts';
import { parseDigits } from './digits.ts';
import { isChunked } from './transfer-coding.ts';

/**
 * Decides once what a reply's fields mean for its connection: how the body ends (RFC 9112 6.3) and whether the connection
 * persists. `toHead`: it answers a HEAD request. Throws PhotonError upstream_malformed for whatever could be read in two ways.
 */
export function settleResponse(head: ResponseHead, toHead: boolean): void {
  head.persistent = head.versionMinor === 1;
  let lengths = 0;
  let codings = 0;
  let closes = false;
  const { index, count } = head;
  for (let field = 0, at = NUMBER; field < count; field++, at += FIELD_STRIDE) {
    switch (index[at]) {
      case FIELD.CONTENT_LENGTH:
        lengths++;
        head.contentLength = parseDigits(head.value(field));
        if (head.contentLength < 0) throw malformed('Content-Length is not digits only.');
        break;
      case FIELD.TRANSFER_ENCODING:
        codings++;
        if (!isChunked(head, field)) throw malformed('Transfer-Encoding is not just chunked.');
        break;
      case FIELD.CONNECTION:
        closes = readConnectionField(head, head.value(field)) || closes;
        break;
      default:
        break;
    }
  }
  if (closes) head.persistent = false;
  if (lengths > 1 || codings > 1 || lengths + codings > 1) throw malformed('The body is framed more than once.');
  if (codings === 1 && head.versionMinor === 0) throw malformed('An HTTP/1.0 reply has a Transfer-Encoding.');
  settleBody(head, toHead, codings === 1);
}

function settleBody(head: ResponseHead, toHead: boolean, chunked: boolean): void {
  const { status } = head;
  // RFC 9112 6.3 items 1: whatever the fields say, these have no body.
  if (toHead || status < 200 || status === 204 || status === 304) {
    head.framing = FRAMING.NONE;
  } else if (chunked) {
    head.framing = FRAMING.CHUNKED;
  } else if (head.contentLength >= 0) {
    head.framing = head.contentLength === 0 ? FRAMING.NONE : FRAMING.LENGTH;
  } else {
    head.framing = FRAMING.UNTIL_CLOSE;
    head.persistent = false;
  }
}

function malformed(detail: string): PhotonError {
  return new PhotonError('upstream_malformed', detail);
}
