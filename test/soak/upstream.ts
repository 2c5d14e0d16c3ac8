import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const LARGE = Buffer.alloc(2 * 1024 * 1024, 'x');

/**
 * What stands behind a gateway that is treated rudely. The path says what it does:
 *
 *   /hello   `hello`          /hang    never an answer       /begin   a head and a few bytes, then nothing more
 *   /large   2 MB             /drop    closes the connection, without an answer       /cut     closes it within the reply
 *
 * A body that comes is read and thrown away.
 */
export class SoakUpstream {
  readonly #server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, response) =>
    this.#answer(request, response),
  );
  readonly #connections = new Set<Socket>();
  /** Requests that have come and are neither answered nor given up by the gateway. */
  openRequests = 0;
  totalRequests = 0;

  static async start(): Promise<SoakUpstream> {
    const upstream = new SoakUpstream();
    upstream.#server.on('connection', (socket: Socket) => {
      upstream.#connections.add(socket);
      socket.once('close', () => upstream.#connections.delete(socket));
    });
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.openRequests++;
    this.totalRequests++;
    response.once('close', () => this.openRequests--);
    request.on('error', () => {});
    request.resume();
    switch (request.url) {
      case '/hang':
        break;
      case '/begin':
        response.writeHead(200, { 'Content-Length': 1000 });
        response.write('begun');
        break;
      case '/large':
        response.writeHead(200, { 'Content-Length': LARGE.length });
        response.end(LARGE);
        break;
      case '/drop':
        request.socket.destroy();
        break;
      case '/cut':
        response.writeHead(200, { 'Content-Length': 1000 });
        response.write('cut', () => request.socket.destroy());
        break;
      default:
        response.writeHead(200, { 'Content-Length': 5 });
        response.end('hello');
    }
  }
}
