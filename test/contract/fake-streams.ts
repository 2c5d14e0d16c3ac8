import assert from 'node:assert/strict';
import { type ErrorCode, PhotonError } from '../../src/base/errors.ts';
import type { FieldList } from '../../src/http/field-list.ts';
import { FIELD_NAMES } from '../../src/http/field-names.ts';
import { FIELD_STRIDE, Fields, NAME_END, NUMBER, VALUE_END, VALUE_START } from '../../src/http/fields.ts';
import { FRAMING } from '../../src/http/framing.ts';
import { REQUEST_DROPS, RESPONSE_DROPS } from '../../src/http/hop-by-hop.ts';
import type { OutgoingRequest, OutgoingResponse } from '../../src/http/outgoing.ts';
import type { ResponseHead } from '../../src/http/response-head.ts';
import { createSharedMemory, SharedCursor } from '../../src/memory/shared-memory.ts';
import type {
  DownstreamPeer,
  DownstreamStream,
  RequestListener,
  ResponseListener,
  UpstreamStream,
} from '../../src/net/streams.ts';
import { buildGeneration } from '../../src/pipeline/build-generation.ts';
import { MiddlewareChain } from '../../src/pipeline/middleware.ts';
import { Backend } from '../../src/upstream/backend.ts';
import { RoundRobin } from '../../src/upstream/balancing/round-robin.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { MemoryNet } from '../net/memory-connection.ts';
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

/**
 * A protocol of objects: no connection, no bytes but the content itself, and none of the words of HTTP/1. Each of its streams
 * checks that it is spoken to as `net/streams.ts` says.
 */

/** Fills `fields` in a form that has nothing of a message on the wire: `name=value;name=value;`. */
function fill(fields: Fields, lines: Lines): void {
  const entries = Object.entries(lines);
  fields.count = entries.length;
  fields.text = '';
  entries.forEach(([name, value], field) => {
    const at = field * FIELD_STRIDE;
    const start = fields.text.length;
    fields.text += `${name}=${value};`;
    fields.index[at] = start;
    fields.index[at + NAME_END] = start + name.length;
    fields.index[at + VALUE_START] = start + name.length + 1;
    fields.index[at + VALUE_END] = start + name.length + 1 + value.length;
    fields.index[at + NUMBER] = Math.max(0, FIELD_NAMES.indexOf(name.toLowerCase()));
  });
}

/** Gives trailers out for the time of the call, as `net/streams.ts` says: afterwards they are others. */
function lendTrailers(lines: Lines, take: (trailers: Fields) => void): void {
  const fields = new Fields(16);
  fill(fields, lines);
  take(fields);
  fields.clear();
}

/** Gives bytes out for the time of the call, in the middle of a buffer that is used again afterwards. */
function lendBytes(text: string, take: (bytes: Buffer, start: number, end: number) => void): void {
  const bytes = Buffer.from(`[${text}]`, 'latin1');
  take(bytes, 1, text.length + 1);
  bytes.fill('!');
}

/** The fields that pass, by lower-case name. */
function passing(fields: Fields, drops: Uint8Array): Record<string, string> {
  const lines: Record<string, string> = {};
  for (let field = 0; field < fields.count; field++) {
    if (drops[fields.number(field)] === 0) lines[fields.name(field).toLowerCase()] = fields.value(field);
  }
  return lines;
}

/** The fields that the gateway writes, by lower-case name. */
function written(additions: FieldList): Record<string, string> {
  return Object.fromEntries(Array.from(additions, ([name, value]) => [name.toLowerCase(), value]));
}

function framingOf(body: BodyKind) {
  if (body === 'none') return { framing: FRAMING.NONE, length: 0 };
  if (body === 'chunked') return { framing: FRAMING.CHUNKED, length: 0 };
  return { framing: FRAMING.LENGTH, length: body.length };
}

class FakeReply implements SeenReply {
  readonly interim: number[] = [];
  status = 0;
  fields: Lines = {};
  body = '';
  trailers: Lines = {};
  ending: SeenReply['ending'] = 'open';
}

/** The client's side of one exchange: both the stream that the pipeline holds and the client behind it. */
class FakeDownstream implements DownstreamStream {
  readonly peer: DownstreamPeer;
  readonly reply = new FakeReply();
  readonly #toHead: boolean;
  listener: RequestListener | null;
  requestComplete = false;
  readonly clientHalfClosed = false;
  heldBack = false;
  takes = true;
  #owesWritable = false;

  constructor(peer: DownstreamPeer, listener: RequestListener, toHead: boolean) {
    this.peer = peer;
    this.listener = listener;
    this.#toHead = toHead;
  }

  get requestPaused(): boolean {
    return this.heldBack;
  }

  pauseRequest(): void {
    this.heldBack = true;
  }

  resumeRequest(): void {
    this.heldBack = false;
  }

  sendInformational(source: ResponseHead): void {
    this.#expectOpen(0);
    this.reply.interim.push(source.status);
    this.#owesWritable ||= !this.takes;
  }

  sendHead(outgoing: OutgoingResponse, _close: boolean): void {
    this.#expectOpen(0);
    assert.ok(outgoing.status >= 200 && outgoing.status <= 599);
    this.reply.status = outgoing.status;
    const { source, additions, contentLength } = outgoing;
    this.reply.fields = {
      ...(source === null ? {} : passing(source, RESPONSE_DROPS)),
      ...written(additions),
      ...(contentLength < 0 ? {} : { 'content-length': String(contentLength) }),
    };
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    this.#body(bytes.toString('latin1', start, end));
    this.#owesWritable ||= !this.takes;
    return this.takes;
  }

  sendText(text: string): void {
    this.#body(text);
  }

  #body(text: string): void {
    this.#expectOpen(this.reply.status);
    assert.ok(this.reply.status !== 0, 'a body before the head');
    assert.ok(!this.#toHead, 'a body in the reply to HEAD');
    assert.deepEqual(this.reply.trailers, {}, 'a body after the trailers');
    this.reply.body += text;
  }

  sendTrailers(trailers: Fields): void {
    this.#expectOpen(this.reply.status);
    this.reply.trailers = passing(trailers, RESPONSE_DROPS);
  }

  sendEnd(): void {
    this.#expectOpen(this.reply.status);
    assert.ok(this.reply.status !== 0, 'an end before the head');
    this.reply.ending = 'complete';
    this.listener = null;
  }

  abort(): void {
    assert.notEqual(this.reply.ending, 'complete', 'a complete reply was aborted');
    this.reply.ending = 'cut';
    this.listener = null;
  }

  /** `status`: what it has to be already. */
  #expectOpen(status: number): void {
    assert.equal(this.reply.ending, 'open', 'something was sent after the end');
    assert.equal(this.reply.status, status, 'the head was sent already');
  }

  takeAll(): void {
    this.takes = true;
    if (!this.#owesWritable) return;
    this.#owesWritable = false;
    this.listener?.responseWritable();
  }

  fail(code: ErrorCode): void {
    const { listener } = this;
    if (listener === null) return;
    const { status } = this.reply;
    listener.requestFailed(new PhotonError(code, 'It went wrong.'));
    if (code === 'client_closed') assert.equal(this.reply.status, status, 'a reply to nobody');
    assert.equal(this.listener, null, 'the exchange has to end when its request fails');
  }
}

class FakeClient implements ClientSide {
  readonly #log: ExchangeLog;
  readonly #streams: FakeDownstream[] = [];
  readonly #peer: DownstreamPeer = {
    address: '192.0.2.7',
    port: 4711,
    localAddress: '192.0.2.1',
    localPort: 8080,
    scheme: 'http',
    certificateSubject: null,
    identity: null,
    privateConnections: null,
  };
  #takes = true;
  #gone = false;

  constructor(log: ExchangeLog) {
    this.#log = log;
  }

  get #last(): FakeDownstream {
    return this.#streams.at(-1) ?? assert.fail('no request was begun');
  }

  get replies(): readonly SeenReply[] {
    return this.#streams.map(({ reply }) => reply);
  }

  get heldBack(): boolean {
    return this.#last.heldBack;
  }

  begin(method: string, target: string, fields: Lines, body: BodyKind): void {
    const listener = this.#log.newExchange();
    const { request } = listener;
    fill(request, { Host: 'host.example', ...fields });
    request.method = method;
    request.target = target;
    request.host = 'host.example';
    const { framing, length } = framingOf(body);
    request.framing = framing;
    request.contentLength = length;
    const stream = this.#open(listener, method);
    stream.requestComplete = body === 'none';
    listener.requestBegun(stream);
  }

  beginBadly(code: 'ambiguous_framing' | 'version_not_supported'): void {
    const listener = this.#log.newExchange();
    listener.requestRefused(this.#open(listener, ''), new PhotonError(code, 'No.'));
  }

  #open(listener: RequestListener, method: string): FakeDownstream {
    const stream = new FakeDownstream(this.#peer, listener, method === 'HEAD');
    stream.takes = this.#takes;
    this.#streams.push(stream);
    return stream;
  }

  data(text: string): void {
    lendBytes(text, (bytes, start, end) => this.#last.listener?.requestData(bytes, start, end));
  }

  end(trailers?: Lines): void {
    if (trailers !== undefined) lendTrailers(trailers, (lent) => this.#last.listener?.requestTrailers(lent));
    this.#last.requestComplete = true;
    this.#last.listener?.requestEnded();
  }

  vanish(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#last.fail('client_closed');
  }

  stopTaking(): void {
    this.#takes = false;
    for (const stream of this.#streams) stream.takes = false;
  }

  takeAll(): void {
    this.#takes = true;
    for (const stream of this.#streams) stream.takeAll();
  }
}

/** The upstream's side of one exchange: both the stream that the pipeline holds and the server behind it. */
class FakeUpstreamStream implements UpstreamStream, UpstreamSide {
  readonly reused: boolean;
  replyUntouched = true;
  readonly unsent = false;
  listener: ResponseListener | null;
  cancelled = false;
  heldBack = false;
  #takes = true;
  #owesWritable = false;
  #method = '';
  #target = '';
  #fields: Lines = {};
  #body = '';
  #trailers: Lines = {};
  #complete = false;

  constructor(listener: ResponseListener, reused: boolean) {
    this.listener = listener;
    this.reused = reused;
  }

  get request(): SeenRequest {
    const [method, target, fields] = [this.#method, this.#target, this.#fields];
    return { method, target, fields, body: this.#body, trailers: this.#trailers, complete: this.#complete };
  }

  // --- as the pipeline uses it -----------------------------------------------------------------------------------------

  sendHead(outgoing: OutgoingRequest): void {
    assert.equal(this.#method, '', 'two heads');
    this.#method = outgoing.method;
    this.#target = outgoing.outgoingTarget;
    this.#fields = {
      host: outgoing.outgoingAuthority,
      ...passing(outgoing.request, REQUEST_DROPS),
      ...written(outgoing.requestAdditions),
    };
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    this.#expectOpen();
    this.#body += bytes.toString('latin1', start, end);
    this.#owesWritable ||= !this.#takes;
    return this.#takes;
  }

  sendTrailers(trailers: Fields): void {
    this.#expectOpen();
    this.#trailers = passing(trailers, REQUEST_DROPS);
  }

  sendEnd(): void {
    this.#expectOpen();
    this.#complete = true;
  }

  #expectOpen(): void {
    assert.ok(this.#method !== '', 'something was sent before the head');
    assert.ok(!this.#complete, 'something was sent after the end');
    assert.ok(!this.cancelled, 'something was sent after the cancel');
    assert.ok(this.listener !== null, 'something was sent after the last word');
  }

  pauseResponse(): void {
    this.heldBack = true;
  }

  resumeResponse(): void {
    this.heldBack = false;
  }

  cancel(): void {
    assert.ok(this.listener !== null && !this.cancelled, 'a cancel after the last word');
    this.cancelled = true;
    this.listener = null;
  }

  // --- as the server behind it -----------------------------------------------------------------------------------------

  #reply(lines: Lines, status: number, body: BodyKind): ResponseListener | null {
    const { listener } = this;
    if (listener === null) return null;
    this.replyUntouched = false;
    const { response } = listener;
    response.clear();
    fill(response, lines);
    response.status = status;
    const { framing, length } = framingOf(body);
    response.framing = framing;
    response.contentLength = typeof body === 'object' ? length : -1;
    return listener;
  }

  interim(status: number, fields: Lines): void {
    this.#reply(fields, status, 'none')?.responseInformational();
  }

  begin(status: number, fields: Lines, body: BodyKind): void {
    this.#reply(fields, status, body)?.responseBegun();
    if (body === 'none') this.end();
  }

  data(text: string): void {
    lendBytes(text, (bytes, start, end) => this.listener?.responseData(bytes, start, end));
  }

  end(trailers?: Lines): void {
    if (trailers !== undefined) lendTrailers(trailers, (lent) => this.listener?.responseTrailers(lent));
    const { listener } = this;
    this.listener = null;
    listener?.responseEnded();
  }

  fail(): void {
    const { listener } = this;
    this.listener = null;
    listener?.responseFailed(new PhotonError('upstream_reset', 'The upstream went away.'));
  }

  stopTaking(): void {
    this.#takes = false;
  }

  takeAll(): void {
    this.#takes = true;
    if (!this.#owesWritable) return;
    this.#owesWritable = false;
    this.listener?.requestWritable();
  }
}

/** An upstream whose pool has fake streams. */
class FakeUpstream extends Upstream {
  readonly streams: FakeUpstreamStream[] = [];
  allProbes = false;
  #claims = 0;

  override takeClaim(): number {
    return this.allProbes ? ++this.#claims : super.takeClaim();
  }

  override acquire(listener: ResponseListener, newConnection: boolean): UpstreamStream {
    const stream = new FakeUpstreamStream(listener, !newConnection && this.streams.length > 0);
    this.streams.push(stream);
    return stream;
  }
}

export function fakeScene(options: SceneOptions = {}): Scene {
  const net = new MemoryNet();
  const config = sceneConfig(options.server);
  const shared = createSharedMemory(config, 1);
  const context = sceneContext(net, shared);
  const { generation } = buildGeneration(scenePlan(config, shared), context);
  const [upstreamConfig = assert.fail()] = config.backends[0]?.upstreams ?? [];
  const slot = { memory: shared, number: 0 };
  const upstream = new FakeUpstream(upstreamConfig, context, { slot, backend: slot, row: 0 });
  upstream.allProbes = options.allProbes ?? false;
  const breaker = options.breaker ?? null;
  const policy = {
    ...{ breaker, panicThreshold: 0, slowStartMs: null, checkIntervalMs: 1000 },
    random: Math.random,
    time: net.io,
  };
  const { overload } = generation.routes.at(0).backend;
  const backend = new Backend(
    'origin',
    [upstream],
    new RoundRobin([upstream], new SharedCursor(slot)),
    policy,
    overload,
  );
  const { middleware = [] } = options;
  const chain = middleware.length === 0 ? MiddlewareChain.none : new MiddlewareChain(middleware);
  const routes = { at: (number: number) => ({ ...generation.routes.at(number), backend, chain }) };
  const log = new ExchangeLog(net.io.wheel, { ...generation, routes }, net.faults, options);
  return {
    client: new FakeClient(log),
    upstream: () => upstream.streams.at(-1) ?? assert.fail('nothing has reached the upstream'),
    upstreamRequests: () => upstream.streams.length,
    log,
    faults: net.faults,
    settle: async () => {},
    passMs: async (ms) => net.pass(ms),
  };
}
