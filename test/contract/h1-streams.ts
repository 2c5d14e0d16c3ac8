import assert from 'node:assert/strict';
import { createSharedMemory } from '../../src/memory/shared-memory.ts';
import { H1Downstream } from '../../src/net/h1-downstream.ts';
import { buildGeneration } from '../../src/pipeline/build-generation.ts';
import { MemoryConnection, MemoryNet } from '../net/memory-connection.ts';
import { decodeBody, decodeRequest, decodeResponse, type FieldLine, toBytes } from '../wire/h1/decode.ts';
import {
  type BodyKind,
  type ClientSide,
  ExchangeLog,
  type Lines,
  type Scene,
  type SceneOptions,
  type SeenReply,
  type SeenRequest,
  sceneConfig,
  sceneContext,
  scenePlan,
  type UpstreamSide,
} from './scene.ts';

const lineText = (lines: Lines) =>
  Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

function framingLine(body: BodyKind): string {
  if (body === 'none') return '';
  return body === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.length}\r\n`;
}

const byName = (fields: readonly FieldLine[]): Record<string, string> =>
  Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));

/** A body of a message, in the framing that its head announced. */
class BodyWriter {
  readonly #kind: BodyKind;

  constructor(kind: BodyKind) {
    this.#kind = kind;
  }

  data(text: string): string {
    return this.#kind === 'chunked' ? `${text.length.toString(16)}\r\n${text}\r\n` : text;
  }

  end(trailers: Lines = {}): string {
    return this.#kind === 'chunked' ? `0\r\n${lineText(trailers)}\r\n` : '';
  }
}

/** The requests that stand in `text`, the last one perhaps unfinished. */
function requestsIn(text: string): readonly SeenRequest[] {
  const requests: SeenRequest[] = [];
  for (let rest = toBytes(text); rest.length > 0; ) {
    const head = decodeRequest(rest);
    if (head === 'unfinished') break;
    assert.ok('method' in head, `the gateway sent what is no request: ${text}`);
    const body = decodeBody([rest.subarray(head.headBytes)], head.framing, head.contentLength);
    assert.ok('complete' in body, `the gateway sent a malformed body: ${text}`);
    requests.push({
      method: head.method,
      target: head.target,
      fields: byName(head.fields),
      body: body.content,
      trailers: byName(body.trailers),
      complete: body.complete,
    });
    rest = rest.subarray(head.headBytes + body.bytes);
  }
  return requests;
}

/** The replies to requests of these methods that stand in `text`. */
function repliesIn(text: string, methods: readonly string[], closed: boolean): readonly SeenReply[] {
  let rest = toBytes(text);
  return methods.map((method): SeenReply => {
    const interim: number[] = [];
    for (;;) {
      const head = decodeResponse(rest, { toHead: method === 'HEAD' });
      if (head === 'unfinished') {
        return { interim, status: 0, fields: {}, body: '', trailers: {}, ending: closed ? 'cut' : 'open' };
      }
      assert.ok('status' in head, `the gateway sent what is no reply: ${text}`);
      rest = rest.subarray(head.headBytes);
      if (head.status < 200) {
        interim.push(head.status);
        continue;
      }
      const body = decodeBody([rest], head.framing, head.contentLength);
      assert.ok('complete' in body, `the gateway sent a malformed body: ${text}`);
      rest = rest.subarray(body.bytes);
      return {
        interim,
        status: head.status,
        fields: byName(head.fields),
        body: body.content,
        trailers: byName(body.trailers),
        ending: body.complete ? 'complete' : closed ? 'cut' : 'open',
      };
    }
  });
}

class H1Client implements ClientSide {
  readonly #connection: MemoryConnection;
  readonly #methods: string[] = [];
  #body = new BodyWriter('none');

  constructor(net: MemoryNet, log: ExchangeLog) {
    this.#connection = new MemoryConnection(net);
    const downstream = new H1Downstream(net.io, {
      limits: log.generation.limits,
      draining: false,
      takeListener: () => log.newExchange(),
      returnListener: () => log.returned(),
      connectionClosed: () => {},
    });
    this.#connection.receiver = downstream;
    downstream.open(this.#connection);
  }

  begin(method: string, target: string, fields: Lines, body: BodyKind): void {
    this.#methods.push(method);
    this.#body = new BodyWriter(body);
    const head = `${method} ${target} HTTP/1.1\r\nHost: host.example\r\n${lineText(fields)}${framingLine(body)}\r\n`;
    this.#connection.sends(head);
  }

  beginBadly(code: 'ambiguous_framing' | 'version_not_supported'): void {
    this.#methods.push('GET');
    const version = code === 'version_not_supported' ? 'HTTP/2.0' : 'HTTP/1.1';
    this.#connection.sends(`GET / ${version}\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`);
  }

  data(text: string): void {
    this.#connection.sends(this.#body.data(text));
  }

  end(trailers?: Lines): void {
    const text = this.#body.end(trailers);
    if (text !== '') this.#connection.sends(text);
  }

  vanish(): void {
    this.#connection.breaks();
  }

  stopTaking(): void {
    this.#connection.peerTakes = false;
  }

  takeAll(): void {
    this.#connection.takesAll();
  }

  get heldBack(): boolean {
    return this.#connection.paused;
  }

  get replies(): readonly SeenReply[] {
    const { written, destroyed, writingEnded } = this.#connection;
    return repliesIn(written, this.#methods, destroyed || writingEnded);
  }
}

class H1UpstreamSide implements UpstreamSide {
  readonly #connection: MemoryConnection;
  readonly #index: number;
  #body = new BodyWriter('none');

  constructor(connection: MemoryConnection, index: number) {
    this.#connection = connection;
    this.#index = index;
  }

  get request(): SeenRequest {
    return requestsIn(this.#connection.written)[this.#index] ?? assert.fail('the request has not come');
  }

  interim(status: number, fields: Lines): void {
    this.#connection.sends(`HTTP/1.1 ${status} Interim\r\n${lineText(fields)}\r\n`);
  }

  begin(status: number, fields: Lines, body: BodyKind): void {
    this.#body = new BodyWriter(body);
    const framing = body === 'none' && status !== 204 && status !== 304 ? { length: 0 } : body;
    const lengthOfHead = this.request.method === 'HEAD' ? body : framing;
    this.#connection.sends(`HTTP/1.1 ${status} Final\r\n${lineText(fields)}${framingLine(lengthOfHead)}\r\n`);
  }

  data(text: string): void {
    this.#connection.sends(this.#body.data(text));
  }

  end(trailers?: Lines): void {
    const text = this.#body.end(trailers);
    if (text !== '') this.#connection.sends(text);
  }

  fail(): void {
    this.#connection.breaks();
  }

  stopTaking(): void {
    this.#connection.peerTakes = false;
  }

  takeAll(): void {
    this.#connection.takesAll();
  }

  get heldBack(): boolean {
    return this.#connection.paused;
  }

  get cancelled(): boolean {
    return this.#connection.destroyed;
  }
}

export function h1Scene(options: SceneOptions = {}): Scene {
  const net = new MemoryNet();
  const config = sceneConfig(options.server);
  const shared = createSharedMemory(config, 1);
  const context = sceneContext(net, shared);
  const { generation } = buildGeneration(scenePlan(config, shared), context);
  const log = new ExchangeLog(net.io.wheel, generation, net.faults, options);
  const sides = new Map<MemoryConnection, H1UpstreamSide[]>();

  function upstream(): UpstreamSide {
    const [connection = assert.fail('nothing has reached the upstream')] = net.outgoing.toSorted(
      (one, other) => other.lastWrite - one.lastWrite,
    );
    const known = sides.get(connection) ?? [];
    sides.set(connection, known);
    const last = requestsIn(connection.written).length - 1;
    known[last] ??= new H1UpstreamSide(connection, last);
    return known[last];
  }

  return {
    client: new H1Client(net, log),
    upstream,
    upstreamRequests: () => net.outgoing.reduce((sum, { written }) => sum + requestsIn(written).length, 0),
    log,
    faults: net.faults,
    settle: () => new Promise((resolve) => setImmediate(resolve)),
    passMs: async (ms) => net.pass(ms),
  };
}
