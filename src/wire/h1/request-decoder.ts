import { PhotonError } from '../../base/errors.ts';
import { latin1Text } from '../../base/latin1.ts';
import { TOKEN_LOWER_CASE } from '../../http/characters.ts';
import { methodOf } from '../../http/methods.ts';
import type { RequestHead } from '../../http/request-head.ts';
import { decodeFieldLines, INCOMPLETE } from './field-lines.ts';
import type { HeadLimits } from './head-limits.ts';
import { settleRequest } from './request-framing.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const MAX_METHOD_BYTES = 32;
/** `HTTP/1.1` */
const VERSION_BYTES = 8;

/**
 * Decodes one request head (RFC 9112 3 and 5) from `bytes` between `start` and `end` into `head`, which must be clear. What
 * cannot become valid any more is refused at once, complete or not. Nothing is kept between calls: with INCOMPLETE the caller
 * comes again with all the bytes so far and more.
 *
 * Returns the position after the head, or INCOMPLETE; throws PhotonError.
 */
export function decodeRequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  head: RequestHead,
  limits: HeadLimits,
): number {
  const lineStart = skipEmptyLine(bytes, start, end);
  if (lineStart === INCOMPLETE) return INCOMPLETE;
  const methodEnd = scanMethod(bytes, lineStart, end);
  if (methodEnd === INCOMPLETE) return INCOMPLETE;
  const targetStart = methodEnd + 1;
  const targetEnd = scanTarget(bytes, targetStart, end, limits.maxTargetBytes);
  if (targetEnd === INCOMPLETE) return INCOMPLETE;
  const fieldsStart = scanVersion(bytes, targetEnd + 1, end, head);
  if (fieldsStart === INCOMPLETE) return INCOMPLETE;
  const headEnd = decodeFieldLines(bytes, fieldsStart, end, lineStart, head);
  const size = (headEnd === INCOMPLETE ? end : headEnd) - start;
  if (size > limits.maxHeadBytes) throw headTooLarge(limits.maxHeadBytes);
  if (headEnd === INCOMPLETE) return INCOMPLETE;
  head.text = latin1Text(bytes, lineStart, headEnd);
  head.method = methodOf(head.text, methodEnd - lineStart);
  head.target = head.text.slice(targetStart - lineStart, targetEnd - lineStart);
  settleRequest(head);
  return headEnd;
}

/** RFC 9112 2.2: a server should ignore one empty line before the request line (old clients send it after a POST). */
function skipEmptyLine(bytes: Buffer, start: number, end: number): number {
  if (start >= end) return INCOMPLETE;
  if (bytes[start] !== CR) return start;
  if (start + 1 >= end) return INCOMPLETE;
  if (bytes[start + 1] !== LF) throw malformed('A CR is not followed by LF.');
  return start + 2 < end ? start + 2 : INCOMPLETE;
}

function scanMethod(bytes: Buffer, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_METHOD_BYTES + 1);
  let position = start;
  while (position < limit && (TOKEN_LOWER_CASE[bytes[position] as number] as number) !== 0) position++;
  if (position === end && position < start + MAX_METHOD_BYTES + 1) return INCOMPLETE;
  if (position === start || position === start + MAX_METHOD_BYTES + 1 || bytes[position] !== SP) {
    throw malformed('The message does not begin with a method.');
  }
  return position;
}

function scanTarget(bytes: Buffer, start: number, end: number, maxTargetBytes: number): number {
  let position = start;
  while (position < end) {
    const byte = bytes[position] as number;
    if (byte <= SP || byte >= 0x7f) break;
    position++;
  }
  if (position - start > maxTargetBytes) {
    throw new PhotonError('target_too_long', `The request target is longer than ${maxTargetBytes} bytes.`);
  }
  if (position === end) return INCOMPLETE;
  if (bytes[position] !== SP || position === start) throw badTarget(bytes[position] as number);
  return position;
}

/** Reads `HTTP/1.x CRLF`; returns the position after it. */
function scanVersion(bytes: Buffer, start: number, end: number, head: RequestHead): number {
  const available = Math.min(end - start, VERSION_BYTES);
  for (let i = 0; i < available; i++) {
    const byte = bytes[start + i] as number;
    if (i === 5 || i === 7 ? !isDigit(byte) : byte !== 'HTTP/x.x'.charCodeAt(i)) {
      throw malformed('The request line does not end with an HTTP version.');
    }
  }
  if (available < VERSION_BYTES) return INCOMPLETE;
  const minor = (bytes[start + 7] as number) - 0x30;
  if (bytes[start + 5] !== 0x31 || minor > 1) {
    throw new PhotonError('version_not_supported', 'Only HTTP/1.0 and HTTP/1.1 are spoken here.');
  }
  head.versionMinor = minor;
  const lineEnd = start + VERSION_BYTES;
  if (lineEnd < end && bytes[lineEnd] !== CR) throw malformed('The request line does not end with CRLF.');
  if (lineEnd + 1 < end && bytes[lineEnd + 1] !== LF) throw malformed('A CR is not followed by LF.');
  return lineEnd + 1 < end ? lineEnd + 2 : INCOMPLETE;
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

function badTarget(byte: number): PhotonError {
  if (byte === CR || byte === LF) return malformed('The request line has no HTTP version.');
  return new PhotonError('bad_target', 'The request target has a byte that must be percent-encoded.');
}

function malformed(detail: string): PhotonError {
  return new PhotonError('malformed_message', detail);
}

function headTooLarge(maxHeadBytes: number): PhotonError {
  return new PhotonError('head_too_large', `The head is larger than ${maxHeadBytes} bytes.`);
}
