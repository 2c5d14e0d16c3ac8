import type { ErrorCode, PhotonError } from '../../src/base/errors.ts';
import type { Fields } from '../../src/http/fields.ts';
import { ResponseHead } from '../../src/http/response-head.ts';
import type { ResponseListener, UpstreamStream } from '../../src/net/streams.ts';
import { fieldLines } from '../wire/h1/decode.ts';
import { outgoingRequest, requestHead } from '../wire/h1/heads.ts';

/** Hears a reply and writes it down: one entry an event, neighbouring pieces of the body joined. */
export class ReplyRecorder implements ResponseListener {
  readonly response: ResponseHead = new ResponseHead(20);
  readonly story: string[] = [];
  /** Called after an event was written down. */
  meanwhile: (event: string) => void = () => {};

  responseInformational(): void {
    this.#heard(`interim ${this.response.status}`);
  }

  responseBegun(): void {
    this.#heard(`head ${this.response.status}`);
  }

  responseData(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end);
    const last = this.story.at(-1);
    if (last?.startsWith('data ') === true) this.story[this.story.length - 1] = last + text;
    else this.story.push(`data ${text}`);
    this.meanwhile('data');
  }

  responseTrailers(trailers: Fields): void {
    this.#heard(`trailers ${fieldLines(trailers).join(' ')}`);
  }

  responseEnded(): void {
    this.#heard('end');
  }

  responseFailed(error: PhotonError): void {
    this.#heard(`failed ${error.code}`);
  }

  requestWritable(): void {
    this.#heard('writable');
  }

  /** Whether the last word has been `code`. */
  failedWith(code: ErrorCode): boolean {
    return this.story.at(-1) === `failed ${code}`;
  }

  #heard(event: string): void {
    this.story.push(event);
    this.meanwhile(event);
  }
}

/** Sends a whole request without a body on a stream. */
export function sendRequest(stream: UpstreamStream, method = 'GET'): void {
  stream.sendHead(outgoingRequest(requestHead(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)));
  stream.sendEnd();
}
