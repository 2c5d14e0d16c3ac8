import { type ErrorCode, PhotonError } from '../../base/errors.ts';
import { latin1Text } from '../../base/latin1.ts';
import { FIELD } from '../../http/field-names.ts';
import { Fields } from '../../http/fields.ts';
import { FRAMING, type Framing } from '../../http/framing.ts';
import { decodeFieldLines, INCOMPLETE } from './field-lines.ts';

/** Who takes the bytes of a body. */
export interface BodySink {
  /** Body bytes stand in `bytes` from `start` to `end`, during this call only. */
  bodyData(bytes: Buffer, start: number, end: number): void;
  /** The trailer fields of a chunked body, when it has any; valid during this call only. */
  bodyTrailers(trailers: Fields): void;
}

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const DEL = 0x7f;
const SEMICOLON = 0x3b;

/**
 * RFC 9112 7.1.1 asks for a limit on the chunk extensions of a message: without one, a body of one-byte chunks could make us
 * read a kilobyte for each. Signed chunks need some 85 bytes each; the limit is node:http's.
 */
const MAX_EXTENSION_BYTES = 16 * 1024;
const MAX_SIZE_DIGITS = 15;
const MAX_TRAILER_BYTES = 8192;
const MAX_TRAILER_FIELDS = 64;

/**
 * The decoder's states; those of the chunked coding (RFC 9112 7.1) go round once per chunk:
 *
 *   SIZE --(";")--> EXTENSION --(CR)--> SIZE_LF --(size > 0)--> DATA --> DATA_CR --> DATA_LF --> SIZE
 *     \----------------(CR)-------------^    \---(size = 0)--> TRAILERS --(empty line)--> DONE
 *
 *   BYTES --(all counted)--> DONE            UNTIL_CLOSE stays until the connection ends
 */
const STATE = {
  DONE: 0,
  BYTES: 1,
  UNTIL_CLOSE: 2,
  SIZE: 3,
  EXTENSION: 4,
  SIZE_LF: 5,
  DATA: 6,
  DATA_CR: 7,
  DATA_LF: 8,
  TRAILERS: 9,
} as const;

type State = (typeof STATE)[keyof typeof STATE];

/** Takes the bytes of one body after the other, cut anywhere, and gives its sink the content without the framing. */
export class BodyDecoder {
  readonly #fault: ErrorCode;
  #state: State = STATE.DONE;
  /** Bytes of content still to come in this body (BYTES) or chunk (DATA); the size read so far (SIZE). */
  #remaining = 0;
  #sizeDigits = 0;
  #blankAfterSize = false;
  /** Of the whole body. */
  #extensionBytes = 0;
  #trailerText: Buffer | null = null;

  /** `fault`: the code of the error that a malformed body raises. */
  constructor(fault: ErrorCode) {
    this.#fault = fault;
  }

  /** True when the body is complete, or none was begun. */
  get done(): boolean {
    return this.#state === STATE.DONE;
  }

  /** True for a body that only the end of the connection completes. */
  get endsWithConnection(): boolean {
    return this.#state === STATE.UNTIL_CLOSE;
  }

  begin(framing: Framing, contentLength: number): void {
    switch (framing) {
      case FRAMING.NONE:
        this.#state = STATE.DONE;
        break;
      case FRAMING.LENGTH:
        this.#state = STATE.BYTES;
        this.#remaining = contentLength;
        break;
      case FRAMING.CHUNKED:
        this.#extensionBytes = 0;
        this.#beginChunk();
        break;
      case FRAMING.UNTIL_CLOSE:
        this.#state = STATE.UNTIL_CLOSE;
        break;
    }
  }

  /** Forgets an unfinished body. */
  abandon(): void {
    this.#state = STATE.DONE;
    this.#trailerText = null;
  }

  /** Decodes from `start`; returns where it stopped: `end`, or earlier when the body is complete. Throws PhotonError. */
  decode(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    let position = start;
    while (position < end && this.#state !== STATE.DONE) {
      switch (this.#state) {
        case STATE.BYTES:
        case STATE.DATA:
          position = this.#takeCounted(bytes, position, end, sink);
          break;
        case STATE.UNTIL_CLOSE:
          sink.bodyData(bytes, position, end);
          return end;
        case STATE.TRAILERS:
          position = this.#takeTrailers(bytes, position, end, sink);
          break;
        default:
          this.#takeFramingByte(bytes[position] as number);
          position++;
      }
    }
    return position;
  }

  #takeCounted(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    const taken = Math.min(end - start, this.#remaining);
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#state = this.#state === STATE.BYTES ? STATE.DONE : STATE.DATA_CR;
    sink.bodyData(bytes, start, start + taken);
    return start + taken;
  }

  #beginChunk(): void {
    this.#state = STATE.SIZE;
    this.#remaining = 0;
    this.#sizeDigits = 0;
    this.#blankAfterSize = false;
  }

  #takeFramingByte(byte: number): void {
    switch (this.#state) {
      case STATE.SIZE:
        this.#takeSizeByte(byte);
        break;
      case STATE.EXTENSION:
        this.#takeExtensionByte(byte);
        break;
      case STATE.SIZE_LF:
        this.#require(byte === LF, 'A chunk size line does not end with CRLF.');
        this.#state = this.#remaining === 0 ? STATE.TRAILERS : STATE.DATA;
        break;
      case STATE.DATA_CR:
        this.#require(byte === CR, 'A chunk is longer than its size.');
        this.#state = STATE.DATA_LF;
        break;
      case STATE.DATA_LF:
        this.#require(byte === LF, 'A chunk does not end with CRLF.');
        this.#beginChunk();
        break;
      default:
        throw new TypeError(`no framing byte is due in state ${this.#state}`);
    }
  }

  #takeSizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#require(!this.#blankAfterSize, 'A chunk size has a blank in it.');
      this.#require(++this.#sizeDigits <= MAX_SIZE_DIGITS, 'A chunk size is too large.');
      this.#remaining = this.#remaining * 16 + digit;
      this.#require(this.#remaining <= Number.MAX_SAFE_INTEGER, 'A chunk size is too large.');
      return;
    }
    this.#require(this.#sizeDigits > 0, 'A chunk does not begin with its size in hexadecimal digits.');
    if (byte === SEMICOLON) {
      this.#state = STATE.EXTENSION;
    } else if (byte === SP || byte === HTAB) {
      // BWS before the ";" of an extension (RFC 9112 7.1.1); before anything else it is refused.
      this.#blankAfterSize = true;
      this.#countExtensionByte();
    } else {
      this.#require(byte === CR && !this.#blankAfterSize, 'A chunk size is followed by neither CRLF nor ";".');
      this.#state = STATE.SIZE_LF;
    }
  }

  #takeExtensionByte(byte: number): void {
    if (byte === CR) {
      this.#state = STATE.SIZE_LF;
      return;
    }
    this.#require((byte >= SP && byte !== DEL) || byte === HTAB, 'A chunk extension has a control byte.');
    this.#countExtensionByte();
  }

  #countExtensionByte(): void {
    this.#require(++this.#extensionBytes <= MAX_EXTENSION_BYTES, 'The chunk extensions are too long.');
  }

  #takeTrailers(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    const kept = this.#trailerText;
    if (kept === null && bytes[start] === CR && start + 1 < end) {
      this.#require(bytes[start + 1] === LF, 'A CR is not followed by LF.');
      this.#state = STATE.DONE;
      return start + 2;
    }
    const keptBytes = kept === null ? 0 : kept.length;
    const text = Buffer.concat(kept === null ? [bytes.subarray(start, end)] : [kept, bytes.subarray(start, end)]);
    const trailers = new Fields(MAX_TRAILER_FIELDS);
    const sectionEnd = this.#decodeTrailers(text, trailers);
    const size = sectionEnd === INCOMPLETE ? text.length : sectionEnd;
    this.#require(size <= MAX_TRAILER_BYTES, 'The trailers are too large.');
    if (sectionEnd === INCOMPLETE) {
      this.#trailerText = text;
      return end;
    }
    this.#trailerText = null;
    this.#state = STATE.DONE;
    trailers.text = latin1Text(text, 0, sectionEnd);
    this.#require(!hasForbiddenTrailer(trailers), 'A trailer field belongs into the head.');
    if (trailers.count > 0) sink.bodyTrailers(trailers);
    return start + sectionEnd - keptBytes;
  }

  #decodeTrailers(text: Buffer, trailers: Fields): number {
    try {
      return decodeFieldLines(text, 0, text.length, 0, trailers);
    } catch (error) {
      throw error instanceof PhotonError ? new PhotonError(this.#fault, error.message) : error;
    }
  }

  #require(valid: boolean, detail: string): asserts valid {
    if (!valid) throw new PhotonError(this.#fault, detail);
  }
}

/** RFC 9110 6.5.1: fields for framing and routing must not come as trailers; whoever merges them would be deceived. */
const FORBIDDEN_TRAILERS: readonly number[] = [
  FIELD.HOST,
  FIELD.CONTENT_LENGTH,
  FIELD.TRANSFER_ENCODING,
  FIELD.CONNECTION,
  FIELD.TE,
  FIELD.TRAILER,
  FIELD.UPGRADE,
  FIELD.EXPECT,
];

function hasForbiddenTrailer(trailers: Fields): boolean {
  return FORBIDDEN_TRAILERS.some((number) => trailers.find(number) !== -1);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
