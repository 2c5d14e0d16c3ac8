import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import type { FieldLine } from './decode.ts';

/** One request as node:http understood it. */
export interface ParsedRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly FieldLine[];
  /** latin1 text of the body. */
  readonly body: string;
  readonly trailers: readonly FieldLine[];
}

/** What node:http made of a stream of bytes. */
export interface Opinion {
  readonly requests: readonly ParsedRequest[];
  /** How many of them it had before the last byte came. */
  readonly beforeLastByte: number;
  /** Why it refused what came after them; null when it did not. */
  readonly refusal: string | null;
}

/** The fields of a message in the form of `IncomingMessage.rawHeaders`, by line. */
export const pairs = (flat: readonly string[]): readonly FieldLine[] =>
  Array.from({ length: flat.length / 2 }, (_none, at) => [flat[2 * at] as string, flat[2 * at + 1] as string] as const);

/** What the parser says of what it refuses. */
export function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}

/** A connection in memory: what is pushed arrives, what is sent is forgotten. */
export function memoryConnection(): Duplex {
  const connection = new Duplex({
    allowHalfOpen: true,
    read() {},
    write(_chunk, _encoding, done) {
      done();
    },
  });
  connection.on('error', () => {});
  return connection;
}

/** Long enough for what has been pushed to be read, parsed and told: all of it happens in ticks, none in timers. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Node's own parser, asked through the public door: a server that is handed connections which exist in memory only. */
export class SecondOpinion {
  readonly #server: Server;
  #requests: ParsedRequest[] = [];
  #refusal: string | null = null;

  constructor() {
    this.#server = createServer({ requireHostHeader: false, maxHeaderSize: 64 * 1024 });
    this.#server.maxHeadersCount = 0;
    this.#server.timeout = 0;
    this.#server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => {});
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.#requests.push(parsed(request, Buffer.concat(chunks)));
        response.end();
      });
    });
    // Unknown expectations are answered by the server itself unless somebody listens.
    for (const event of ['checkContinue', 'checkExpectation'] as const) {
      this.#server.on(event, (request, response) => this.#server.emit('request', request, response));
    }
    this.#server.on('clientError', (error, socket) => {
      this.#refusal ??= reasonOf(error);
      socket.destroy();
    });
  }

  /** What it makes of a connection that sends `bytes`, the last of them apart, and then ends. */
  async ask(bytes: Buffer): Promise<Opinion> {
    this.#requests = [];
    this.#refusal = null;
    const connection = memoryConnection();
    const closed = new Promise((resolve) => connection.once('close', resolve));
    this.#server.emit('connection', connection);
    connection.push(bytes.subarray(0, -1));
    await settled();
    const beforeLastByte = this.#requests.length;
    if (!connection.destroyed && !connection.readableEnded) {
      connection.push(bytes.subarray(-1));
      connection.push(null);
    }
    await settled();
    connection.destroy();
    await closed;
    return { requests: this.#requests, beforeLastByte, refusal: this.#refusal };
  }
}

function parsed(request: IncomingMessage, body: Buffer): ParsedRequest {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    version: request.httpVersion,
    fields: pairs(request.rawHeaders),
    body: body.toString('latin1'),
    trailers: pairs(request.rawTrailers),
  };
}
