import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { eventually, guarded, settle } from './guard.ts';
import {
  announcedFraming,
  assertFields,
  type Body,
  type ExpectedFields,
  type Fields,
  readBody,
  readHead,
} from './message.ts';
import { Peer } from './peer.ts';

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly fields: Fields;
}

export interface ReceivedRequest extends RequestHead {
  readonly framing: Body['framing'];
  readonly body: string;
  readonly trailers: Fields;
}

export interface ExpectedRequest {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: ExpectedFields;
  readonly body?: string;
  readonly framing?: Body['framing'];
  readonly trailers?: ExpectedFields;
}

/** One connection that the gateway opened to the upstream. */
export class UpstreamConnection extends Peer {
  async expectHead(expected: ExpectedRequest = {}): Promise<RequestHead> {
    const head = await readHead(this.inbox, `${this.name}: the head of a request`);
    const match = /^(\S+) (\S+) HTTP\/1\.1$/.exec(head.startLine);
    assert.ok(match, `not a request line: ${JSON.stringify(head.startLine)}`);
    const request = { method: match[1] ?? '', target: match[2] ?? '', fields: head.fields };
    if (expected.method !== undefined) assert.equal(request.method, expected.method);
    if (expected.target !== undefined) assert.equal(request.target, expected.target);
    if (expected.headers !== undefined) assertFields(request.fields, expected.headers);
    return request;
  }

  /** Reads a whole request, body and trailers included. */
  async expectRequest(expected: ExpectedRequest = {}): Promise<ReceivedRequest> {
    const head = await this.expectHead(expected);
    const framing = announcedFraming(head.fields, 'none');
    const body = await readBody(this.inbox, head.fields, framing, `${this.name}: the request`);
    const request = { ...head, framing, body: body.bytes.toString('latin1'), trailers: body.trailers };
    if (expected.framing !== undefined) assert.equal(request.framing, expected.framing);
    if (expected.body !== undefined) assert.equal(request.body, expected.body);
    if (expected.trailers !== undefined) assertFields(request.trailers, expected.trailers);
    return request;
  }

  /** The gateway gave the request up: the connection ends, and what came does not look like a whole chunked body. */
  async expectAborted(): Promise<void> {
    const rest = await this.expectClosedAfter();
    assert.ok(!rest.toString('latin1').endsWith('0\r\n\r\n'), `${this.name}: an aborted request that looks complete`);
  }
}

type Answer = (request: ReceivedRequest, connection: UpstreamConnection) => string | Buffer | Promise<string | Buffer>;

/** A reply of 200 with this body, delimited by its length. */
export function ok(body: string, ...fieldLines: string[]): string {
  const lines = ['HTTP/1.1 200 OK', `Content-Length: ${Buffer.byteLength(body, 'latin1')}`, ...fieldLines];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A scripted upstream server: the test takes its connections one by one and says what each does. */
export class WireUpstream {
  readonly #server: Server;
  readonly #connections: UpstreamConnection[] = [];
  readonly #name: string;
  readonly port: number;
  readonly #tls: TLSSocketOptions | null;
  #accepted = 0;
  #answer: Answer = () => {
    throw new Error('answerAll was not called');
  };
  #answersAll = false;
  #expectedTotal: number | null = null;
  readonly failures: unknown[] = [];

  /** @param server - listening already */
  private constructor(server: Server, name: string, tls: TLSSocketOptions | null) {
    this.#server = server;
    // One context for all of its connections: sessions are resumed within one.
    this.#tls = tls === null ? null : { ...tls, secureContext: createSecureContext(tls) };
    this.#name = name;
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    this.port = address.port;
    server.on('connection', (socket) => this.#take(socket));
  }

  /** `tls`: how it speaks TLS; null for not at all. */
  static async listen(name: string, tls: TLSSocketOptions | null = null): Promise<WireUpstream> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WireUpstream(server, name, tls);
  }

  /** How many connections the gateway has opened so far. */
  get connectionCount(): number {
    return this.#connections.length;
  }

  get openCount(): number {
    return this.#connections.filter((connection) => connection.inbox.ending === null).length;
  }

  /** The next connection that the test has not taken yet. */
  async accept(): Promise<UpstreamConnection> {
    const index = this.#accepted++;
    await eventually(
      `connection ${index + 1} to ${this.#name}`,
      () => this.#connections.length > index,
      () => this.#seen(),
    );
    return this.#connections[index] as UpstreamConnection;
  }

  /** From now on every request on every connection gets `answer`'s reply. */
  answerAll(answer: Answer): void {
    this.#answer = answer;
    this.#answersAll = true;
    for (const connection of this.#connections.slice(this.#accepted)) void this.#serve(connection);
    this.#accepted = this.#connections.length;
  }

  /** No connection has come, and none may come until the test ends. */
  expectNoConnection(): void {
    this.expectConnections(0);
  }

  /** So many connections have come, and no other may come until the test ends. */
  expectConnections(total: number): void {
    assert.equal(this.#connections.length, total, this.#seen());
    this.#expectedTotal = total;
  }

  /** Stops listening: from now on a connection to this port is refused. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    // Connections that are open stay so, and the server's own 'close' waits for them: it is not waited for.
    this.#server.close();
    await settle(2);
  }

  /** After the gateway is closed: it must have let go of every connection. */
  async expectReleased(): Promise<void> {
    if (this.#expectedTotal !== null) assert.equal(this.#connections.length, this.#expectedTotal, this.#seen());
    for (const connection of this.#connections) connection.resume();
    await eventually(
      `the gateway to let go of its connections to ${this.#name}`,
      () => this.openCount === 0,
      () => this.#seen(),
    );
  }

  async dispose(): Promise<void> {
    await this.refuse();
    await guarded('upstream sockets', Promise.all(this.#connections.map((each) => each.dispose())), () => this.#seen());
  }

  #take(socket: Socket): void {
    const name = `${this.#name} connection ${this.#connections.length + 1}`;
    const spoken = this.#tls === null ? socket : new TLSSocket(socket, { ...this.#tls, isServer: true });
    const connection = new UpstreamConnection(spoken, name, socket);
    this.#connections.push(connection);
    if (this.#answersAll) {
      this.#accepted = this.#connections.length;
      void this.#serve(connection);
    }
  }

  async #serve(connection: UpstreamConnection): Promise<void> {
    try {
      for (;;) {
        await waitForBytesOrEnd(connection);
        if (connection.inbox.length === 0) {
          connection.end();
          return;
        }
        const request = await connection.expectRequest();
        await connection.send(await this.#answer(request, connection));
      }
    } catch (error) {
      this.failures.push(error);
    }
  }

  #seen(): string {
    const each = this.#connections.map((connection) => `${connection.name}: ${connection.inbox.describe()}`);
    return `${this.#connections.length} connections to ${this.#name} so far\n${each.join('\n')}`;
  }
}

/** Between two requests of an answering upstream no guard runs: an idle pooled connection is no failure. */
async function waitForBytesOrEnd(connection: UpstreamConnection): Promise<void> {
  const { inbox, socket } = connection;
  while (inbox.length === 0 && inbox.ending === null) {
    await new Promise<void>((resolve) => {
      const wake = () => {
        for (const event of ['data', 'end', 'close'] as const) socket.off(event, wake);
        resolve();
      };
      for (const event of ['data', 'end', 'close'] as const) socket.on(event, wake);
    });
  }
}
