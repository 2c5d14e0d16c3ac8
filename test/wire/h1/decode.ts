import { PhotonError } from '../../../src/base/errors.ts';
import { FIELD, FIELD_NAMES } from '../../../src/http/field-names.ts';
import type { Fields } from '../../../src/http/fields.ts';
import { FRAMING } from '../../../src/http/framing.ts';
import { RequestHead } from '../../../src/http/request-head.ts';
import { ResponseHead } from '../../../src/http/response-head.ts';
import { BodyDecoder } from '../../../src/wire/h1/body-decoder.ts';
import { INCOMPLETE } from '../../../src/wire/h1/field-lines.ts';
import { decodeRequestHead } from '../../../src/wire/h1/request-decoder.ts';
import { decodeResponseHead } from '../../../src/wire/h1/response-decoder.ts';

/** What the decoders of `wire/h1` make of a message, as plain values that can be compared. */

export const LIMITS = { maxHeadBytes: 32 * 1024, maxTargetBytes: 8 * 1024 };
export const MAX_FIELDS = 100;

export type FieldLine = readonly [name: string, value: string];

type FramingName = keyof typeof FRAMING;

export interface DecodedRequest {
  readonly method: string;
  readonly target: string;
  readonly versionMinor: number;
  readonly framing: FramingName;
  readonly contentLength: number;
  readonly host: string | null;
  readonly persistent: boolean;
  readonly namesHopByHopFields: boolean;
  readonly fields: readonly FieldLine[];
  /** Bytes of the head. */
  readonly headBytes: number;
}

export interface DecodedResponse {
  readonly status: number;
  readonly reason: string;
  readonly versionMinor: number;
  readonly framing: FramingName;
  readonly contentLength: number;
  readonly persistent: boolean;
  readonly namesHopByHopFields: boolean;
  readonly fields: readonly FieldLine[];
  readonly headBytes: number;
}

/** What is neither complete nor refused. */
export const UNFINISHED = 'unfinished';
/** A refusal: the code of its error. */
export interface Refusal {
  readonly refused: string;
}

export const toBytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Puts other bytes before and after: a decoder must look at nothing outside its range. */
function surrounded(bytes: Buffer): { all: Buffer; start: number; end: number } {
  const start = 7;
  const all = Buffer.concat([toBytes('GET / \r'), bytes, toBytes('\n\r\n\r\nX: y\r\n\r\n')]);
  return { all, start, end: start + bytes.length };
}

export function fieldLines(fields: Fields): readonly FieldLine[] {
  return Array.from({ length: fields.count }, (_none, field) => [fields.name(field), fields.value(field)] as const);
}

function numberOf(lowerCaseName: string): number {
  const isLookalike = lowerCaseName.includes('_') && FIELD_NAMES.includes(lowerCaseName.replaceAll('_', '-'));
  return isLookalike ? FIELD.LOOKALIKE : Math.max(0, FIELD_NAMES.indexOf(lowerCaseName));
}

/** The numbers of the fields have to be those of their names. */
function numbersAreRight(fields: Fields): boolean {
  return fieldLines(fields).every(([name], field) => fields.number(field) === numberOf(name.toLowerCase()));
}

function framingName(framing: number): FramingName {
  const [name] = Object.entries(FRAMING).find(([, value]) => value === framing) ?? [];
  if (name === undefined) throw new Error(`no framing has the number ${framing}`);
  // Sound: the keys of FRAMING are the names.
  return name as FramingName;
}

function refusal(error: unknown): Refusal {
  if (!(error instanceof PhotonError)) throw error;
  return { refused: error.code };
}

/** Decodes the request head that stands at the beginning of `bytes`. */
export function decodeRequest(
  bytes: Buffer,
  limits = LIMITS,
  head = new RequestHead(MAX_FIELDS),
): DecodedRequest | Refusal | typeof UNFINISHED {
  const { all, start, end } = surrounded(bytes);
  try {
    const position = decodeRequestHead(all, start, end, head, limits);
    if (position === INCOMPLETE) return UNFINISHED;
    if (!numbersAreRight(head)) throw new Error('a field has the number of another name');
    const { method, target, versionMinor, contentLength, host, persistent, namesHopByHopFields } = head;
    return {
      method,
      target,
      versionMinor,
      framing: framingName(head.framing),
      contentLength,
      host,
      persistent,
      namesHopByHopFields,
      fields: fieldLines(head),
      headBytes: position - start,
    };
  } catch (error) {
    return refusal(error);
  }
}

/** Decodes the reply head that stands at the beginning of `bytes`. */
export function decodeResponse(
  bytes: Buffer,
  { toHead = false, maxHeadBytes = LIMITS.maxHeadBytes, maxFields = MAX_FIELDS } = {},
): DecodedResponse | Refusal | typeof UNFINISHED {
  const { all, start, end } = surrounded(bytes);
  const head = new ResponseHead(maxFields);
  try {
    const position = decodeResponseHead(all, start, end, head, maxHeadBytes, toHead);
    if (position === INCOMPLETE) return UNFINISHED;
    if (!numbersAreRight(head)) throw new Error('a field has the number of another name');
    const { status, versionMinor, contentLength, persistent, namesHopByHopFields } = head;
    return {
      status,
      reason: head.text.slice(head.reasonStart, head.reasonEnd),
      versionMinor,
      framing: framingName(head.framing),
      contentLength,
      persistent,
      namesHopByHopFields,
      fields: fieldLines(head),
      headBytes: position - start,
    };
  } catch (error) {
    return refusal(error);
  }
}

export interface DecodedBody {
  readonly content: string;
  readonly trailers: readonly FieldLine[];
  readonly complete: boolean;
  /** Bytes up to where the body was complete. */
  readonly bytes: number;
}

/** Decodes one body from the pieces that it comes in; each piece stands in a buffer of its own, among other bytes. */
export function decodeBody(
  pieces: readonly Buffer[],
  framing: FramingName,
  contentLength = 0,
): DecodedBody | (Refusal & { readonly content: string }) {
  const decoder = new BodyDecoder('malformed_message');
  let content = '';
  let trailers: readonly FieldLine[] = [];
  let taken = 0;
  decoder.begin(FRAMING[framing], contentLength);
  const sink = {
    bodyData(bytes: Buffer, start: number, end: number) {
      content += bytes.toString('latin1', start, end);
    },
    bodyTrailers(fields: Fields) {
      trailers = fieldLines(fields);
    },
  };
  try {
    for (const piece of pieces) {
      const { all, start, end } = surrounded(piece);
      const position = decoder.decode(all, start, end, sink);
      all.fill('!');
      taken += position - start;
      if (position < end) break;
    }
  } catch (error) {
    return { ...refusal(error), content };
  }
  return { content, trailers, complete: decoder.done, bytes: taken };
}

/** `bytes` in two pieces, cut at every place. */
export function* cutsOf(bytes: Buffer): Generator<readonly [Buffer, Buffer]> {
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

/** `bytes` in pieces of `size` bytes. */
export function piecesOf(bytes: Buffer, size: number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}
