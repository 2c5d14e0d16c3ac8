import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A server behind the gateway. It answers `/held` when the test lets it, `/headers` with those that came, `/length` with that of the whole body, and
 * the rest at once. */
export class Upstream {
  readonly #server = createServer((message, response) => this.#answer(message, response));
  #held = Promise.withResolvers<ServerResponse>();

  static async start(t: TestContext): Promise<Upstream> {
    const upstream = new Upstream();
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    t.after(() => {
      upstream.#server.closeAllConnections();
      upstream.#server.close();
    });
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when a request for `/held` has arrived. */
  async holds(): Promise<ServerResponse> {
    return this.#held.promise;
  }

  /** Ends every connection that the gateway has here. */
  closeConnections(): void {
    this.#server.closeAllConnections();
  }

  #answer(message: IncomingMessage, response: ServerResponse): void {
    if (message.url === '/held') {
      this.#held.resolve(response);
    } else if (message.url === '/length') {
      let length = 0;
      message.on('data', (chunk: Buffer) => {
        length += chunk.length;
      });
      message.on('end', () => response.end(String(length)));
    } else if (message.url === '/headers') {
      response.end(JSON.stringify(message.headers));
    } else {
      response.end('hello');
    }
  }
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** One GET on a connection of its own. Rejects when the connection fails before the reply is complete. */
export function get(
  target: { readonly host?: string; readonly port: number } | { readonly socketPath: string },
  path = '/',
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', ...target, path, headers, agent: false }, async (response) => {
      try {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) {
          body += chunk;
        }
        resolve({ status: response.statusCode ?? 0, body });
      } catch (error) {
        reject(error);
      }
    });
    sent.once('error', reject);
    sent.end();
  });
}
