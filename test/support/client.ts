import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { guarded } from './guard.ts';
import {
  announcedFraming,
  assertFields,
  type Body,
  type ExpectedFields,
  type Fields,
  type Framing,
  readBody,
  readHead,
} from './message.ts';
import { Peer } from './peer.ts';

export interface Reply {
  readonly version: string;
  readonly status: number;
  readonly fields: Fields;
  readonly framing: Framing;
  readonly body: string;
  readonly trailers: Fields;
}

export interface ExpectedReply {
  readonly status?: number;
  readonly headers?: ExpectedFields;
  readonly body?: string | RegExp;
  readonly framing?: Framing;
  readonly trailers?: ExpectedFields;
  /** The request was a HEAD: whatever the head says, no body follows. */
  readonly toHead?: boolean;
}

interface ReplyHead {
  readonly version: string;
  readonly status: number;
  readonly fields: Fields;
}

/** How one client connects. */
export interface ConnectOptions {
  /** For `tls.connect`, where clients speak TLS. */
  readonly tls?: ConnectionOptions | undefined;
  /** What it sends before anything else, instead of the usual (latin1). */
  readonly preface?: string;
}

type Connect = (options?: ConnectOptions) => Promise<WireClient>;

/** A raw downstream client. */
export class WireClient extends Peer {
  readonly #connectAnother: Connect;

  constructor(socket: Socket, name: string, carrier: Socket, connectAnother: Connect) {
    super(socket, name, carrier);
    this.#connectAnother = connectAnother;
  }

  /** One more client of the same gateway. */
  connect(options?: ConnectOptions): Promise<WireClient> {
    return this.#connectAnother(options);
  }

  async expectReplyHead(): Promise<ReplyHead> {
    const head = await readHead(this.inbox, `${this.name}: the head of a reply`);
    const match = /^(HTTP\/1\.[01]) ([0-9]{3}) ([\t\x20-\x7e\x80-\xff]*)$/.exec(head.startLine);
    assert.ok(match, `not a status line: ${JSON.stringify(head.startLine)}`);
    return { version: match[1] ?? '', status: Number(match[2]), fields: head.fields };
  }

  /** Reads one whole reply, interim ones not skipped, and compares what is given. */
  async expectReply(expected: ExpectedReply = {}): Promise<Reply> {
    const head = await this.expectReplyHead();
    const withoutBody = expected.toHead === true || head.status < 200 || head.status === 204 || head.status === 304;
    const framing = withoutBody ? 'none' : announcedFraming(head.fields, 'close');
    const body = await readBody(this.inbox, head.fields, framing, `${this.name}: the reply`);
    const reply = toReply(head, body);
    assertReply(reply, expected);
    return reply;
  }

  /** Reads one whole reply and compares its status. */
  expectStatus(status: number): Promise<Reply> {
    return this.expectReply({ status });
  }

  /** Reads an interim (1xx) reply. */
  async expectInterim(status: number, headers: ExpectedFields = {}): Promise<void> {
    await this.expectReply({ status, headers, framing: 'none' });
  }

  /** Reads a reply's head and waits for a close that leaves the message incomplete. */
  async expectTruncatedReply(status: number): Promise<Buffer> {
    const head = await this.expectReplyHead();
    assert.equal(head.status, status);
    const framing = announcedFraming(head.fields, 'close');
    const rest = await this.expectClosedAfter();
    if (framing === 'length') assert.ok(rest.length < Number(head.fields.get('content-length')), 'a complete body');
    else if (framing === 'chunked')
      assert.ok(!rest.toString('latin1').endsWith('0\r\n\r\n'), 'a complete chunked body');
    else assert.equal(this.inbox.ending, 'reset', 'a body until close ended as if it were complete');
    return rest;
  }
}

function toReply(head: ReplyHead, body: Body): Reply {
  return { ...head, framing: body.framing, body: body.bytes.toString('latin1'), trailers: body.trailers };
}

function assertReply(reply: Reply, expected: ExpectedReply): void {
  const seen = `${reply.version} ${reply.status}\n${reply.fields}\n\n${reply.body.slice(0, 600)}`;
  if (expected.status !== undefined) assert.equal(reply.status, expected.status, seen);
  if (expected.framing !== undefined) assert.equal(reply.framing, expected.framing, seen);
  if (expected.headers !== undefined) assertFields(reply.fields, expected.headers);
  if (expected.trailers !== undefined) assertFields(reply.trailers, expected.trailers);
  if (expected.body instanceof RegExp) assert.match(reply.body, expected.body, seen);
  else if (expected.body !== undefined) assert.equal(reply.body, expected.body, seen);
}

/** Opens clients of one gateway and keeps hold of them for the end of the test. */
export class ClientFactory {
  readonly #port: number;
  readonly #secure: boolean;
  readonly #preface: string;
  readonly clients: WireClient[] = [];

  /** `secure`: the clients speak TLS. `preface`: latin1, what they send before anything else, TLS included. */
  constructor(port: number, secure: boolean, preface: string) {
    this.#port = port;
    this.#secure = secure;
    this.#preface = preface;
  }

  readonly connect = async ({ tls = {}, preface = this.#preface }: ConnectOptions = {}): Promise<WireClient> => {
    const carrier = connect({ host: '127.0.0.1', port: this.#port, allowHalfOpen: true });
    if (preface !== '') carrier.write(preface, 'latin1');
    const socket = this.#secure ? connectTls({ ...tls, socket: carrier, rejectUnauthorized: false }) : carrier;
    const client = new WireClient(socket, `client ${this.clients.length + 1}`, carrier, this.connect);
    this.clients.push(client);
    const opened = once(socket, this.#secure ? 'secureConnect' : 'connect');
    await guarded('a connection to the gateway', opened, () => '');
    return client;
  };
}
