import { PhotonError } from '../../base/errors.ts';
import { latin1Text } from '../../base/latin1.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import { decodeFieldLines, INCOMPLETE } from './field-lines.ts';
import { settleResponse } from './response-framing.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const DEL = 0x7f;
/** The status line as far as its form is fixed: `x` is the minor version, 0 or 1, and `d` any digit. */
const PREFIX = 'HTTP/1.x ddd';
const MINOR = 0x78;
const DIGIT = 0x64;

/**
 * Decodes one reply head (RFC 9112 4 and 5) from `bytes` between `start` and `end` into `head`; `toHead` says that it answers
 * a HEAD request. Nothing is kept between calls: with INCOMPLETE the caller comes again with all the bytes so far and more.
 *
 * Returns the position after the head, or INCOMPLETE; throws PhotonError upstream_malformed.
 */
export function decodeResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  head: ResponseHead,
  maxHeadBytes: number,
  toHead: boolean,
): number {
  head.clear();
  const reasonStart = scanStatus(bytes, start, end, head);
  if (reasonStart === INCOMPLETE) return incompleteWithin(start, end, maxHeadBytes);
  const reasonEnd = scanReason(bytes, reasonStart, end);
  if (reasonEnd === INCOMPLETE) return incompleteWithin(start, end, maxHeadBytes);
  const headEnd = decodeFields(bytes, reasonEnd + 2, end, start, head);
  if (headEnd === INCOMPLETE) return incompleteWithin(start, end, maxHeadBytes);
  incompleteWithin(start, headEnd, maxHeadBytes);
  head.text = latin1Text(bytes, start, headEnd);
  head.reasonStart = reasonStart - start;
  head.reasonEnd = reasonEnd - start;
  settleResponse(head, toHead);
  return headEnd;
}

/** Reads `HTTP/1.x SP 3DIGIT` and the blank after it, if any; returns where the reason begins. */
function scanStatus(bytes: Buffer, start: number, end: number, head: ResponseHead): number {
  const available = Math.min(end - start, PREFIX.length);
  for (let i = 0; i < available; i++) {
    if (!fitsPrefix(bytes[start + i] as number, PREFIX.charCodeAt(i))) {
      throw malformed('The reply does not begin with an HTTP/1 status line.');
    }
  }
  if (end - start <= PREFIX.length) return INCOMPLETE;
  head.versionMinor = (bytes[start + 7] as number) - 0x30;
  head.status = decimal(bytes, start + 9);
  if (head.status < 100 || head.status > 599) throw malformed('The status is not between 100 and 599.');
  // RFC 9112 4: the blank before an empty reason is required; replies without it are common enough to be read.
  const after = start + PREFIX.length;
  if (bytes[after] === SP) return after + 1;
  if (bytes[after] === CR) return after;
  throw malformed('The status is not three digits.');
}

function fitsPrefix(byte: number, wanted: number): boolean {
  if (wanted === MINOR) return byte === 0x30 || byte === 0x31;
  if (wanted === DIGIT) return byte >= 0x30 && byte <= 0x39;
  return byte === wanted;
}

function decimal(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) - 0x30) * 100 + ((bytes[at + 1] as number) - 0x30) * 10 + ((bytes[at + 2] as number) - 0x30)
  );
}

/** Returns the position of the CRLF after the reason phrase. */
function scanReason(bytes: Buffer, start: number, end: number): number {
  let position = start;
  while (position < end) {
    const byte = bytes[position] as number;
    if ((byte < SP && byte !== HTAB) || byte === DEL) break;
    position++;
  }
  if (position < end && bytes[position] !== CR) throw malformed('The reason phrase has a control byte.');
  if (position + 1 >= end) return INCOMPLETE;
  if (bytes[position + 1] !== LF) throw malformed('A CR is not followed by LF.');
  return position;
}

/** The field lines are decoded as those of a request; a fault in them is the upstream's. */
function decodeFields(bytes: Buffer, from: number, end: number, base: number, head: ResponseHead): number {
  try {
    return decodeFieldLines(bytes, from, end, base, head);
  } catch (error) {
    throw error instanceof PhotonError ? malformed(error.message) : error;
  }
}

function incompleteWithin(start: number, end: number, maxHeadBytes: number): number {
  if (end - start > maxHeadBytes) throw malformed(`The head is larger than ${maxHeadBytes} bytes.`);
  return INCOMPLETE;
}

function malformed(detail: string): PhotonError {
  return new PhotonError('upstream_malformed', detail);
}
