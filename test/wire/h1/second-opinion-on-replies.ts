import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FieldLine } from './decode.ts';
import { memoryConnection, pairs, reasonOf, settled } from './second-opinion.ts';

/** The head of a reply. */
export interface ParsedReplyHead {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly FieldLine[];
}

/** A reply with what came before and after its head. */
export interface ParsedReply extends ParsedReplyHead {
  readonly informational: readonly ParsedReplyHead[];
  /** latin1 text of the body. */
  readonly body: string;
  readonly trailers: readonly FieldLine[];
  /** Which of the bytes completed it; nothing but the end of the connection does for some. */
  readonly endsWith: 'an earlier byte' | 'the last byte' | 'the connection';
}

/** What node:http made of a reply, or why it refused it. */
export type OpinionOnReply = ParsedReply | { readonly refusal: string };

/** What it makes of the reply `bytes` to a request of `method`; the last byte comes apart, and then the connection ends. */
export async function opinionOnReply(method: string, bytes: Buffer): Promise<OpinionOnReply> {
  const connection = memoryConnection();
  const hearing = new Hearing(method, connection);
  const closed = new Promise((resolve) => connection.once('close', resolve));
  connection.push(bytes.subarray(0, -1));
  await settled();
  const early = hearing.complete;
  if (canReceive(connection)) connection.push(bytes.subarray(-1));
  await settled();
  const late = hearing.complete;
  if (canReceive(connection)) connection.push(null);
  await settled();
  connection.destroy();
  await closed;
  return hearing.reply(early ? 'an earlier byte' : late ? 'the last byte' : 'the connection');
}

const canReceive = (connection: Duplex): boolean => !connection.destroyed && !connection.readableEnded;

/** One request by Node's client, and what it hears of the reply. */
class Hearing {
  readonly #informational: ParsedReplyHead[] = [];
  readonly #chunks: Buffer[] = [];
  #message: IncomingMessage | null = null;
  #refusal: string | null = null;
  complete = false;

  constructor(method: string, connection: Duplex) {
    const sent = request({ method, createConnection: () => connection, maxHeaderSize: 64 * 1024 });
    sent.on('error', (error) => this.#refuse(error));
    sent.on('upgrade', () => this.#refuse(new Error('switched protocols')));
    sent.on('information', ({ httpVersion, statusCode, statusMessage, rawHeaders }) => {
      this.#informational.push(headOf({ httpVersion, statusCode, statusMessage, rawHeaders }));
    });
    sent.on('response', (message) => {
      this.#message = message;
      message.on('error', (error) => this.#refuse(error));
      message.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
      message.on('end', () => {
        this.complete = true;
      });
    });
    sent.end();
  }

  /** The parser's own error comes with others, in any order. */
  #refuse(error: Error): void {
    if (this.#refusal === null || 'reason' in error) this.#refusal = reasonOf(error);
  }

  reply(endsWith: ParsedReply['endsWith']): OpinionOnReply {
    const message = this.#message;
    if (this.#refusal !== null) return { refusal: this.#refusal };
    if (!this.complete || message === null || !message.complete) return { refusal: 'unfinished' };
    return {
      ...headOf(message),
      informational: this.#informational,
      body: Buffer.concat(this.#chunks).toString('latin1'),
      trailers: pairs(message.rawTrailers),
      endsWith,
    };
  }
}

function headOf({
  httpVersion,
  statusCode,
  statusMessage,
  rawHeaders,
}: Pick<IncomingMessage, 'httpVersion' | 'statusCode' | 'statusMessage' | 'rawHeaders'>): ParsedReplyHead {
  return {
    version: httpVersion,
    status: statusCode ?? 0,
    reason: statusMessage ?? '',
    fields: pairs(rawHeaders),
  };
}
