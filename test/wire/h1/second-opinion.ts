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
  /** It refused what came after them. */
  readonly refused: boolean;
}

const pairs = (flat: readonly string[]): readonly FieldLine[] =>
  Array.from({ length: flat.length / 2 }, (_none, at) => [flat[2 * at] as string, flat[2 * at + 1] as string] as const);

/** Node's own parser, asked through the public door: a server that is handed connections which exist in memory only. */
export class SecondOpinion {
  readonly #server: Server;
  #requests: ParsedRequest[] = [];
  #refused = false;

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
    this.#server.on('clientError', (_error, socket) => {
      this.#refused = true;
      socket.destroy();
    });
  }

  /** What it makes of a connection that sends `bytes` and then ends. */
  async ask(bytes: Buffer): Promise<Opinion> {
    this.#requests = [];
    this.#refused = false;
    const connection = new Duplex({
      allowHalfOpen: true,
      read() {},
      write(_chunk, _encoding, done) {
        done();
      },
    });
    const closed = new Promise((resolve) => connection.once('close', resolve));
    connection.on('error', () => {});
    this.#server.emit('connection', connection);
    connection.push(bytes);
    connection.push(null);
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    connection.destroy();
    await closed;
    return { requests: this.#requests, refused: this.#refused };
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
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
