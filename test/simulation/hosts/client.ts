import type { Endpoint, EndpointUser } from '../net/endpoint.ts';
import type { Dialling, Network } from '../net/network.ts';
import type { ClientRecord, ExchangeRecord, Records } from '../records.ts';
import type { ClientScript } from '../scenario/scenario.ts';
import type { World } from '../world.ts';
import { bodyOf } from './blocks.ts';
import { Hearer, type Listener } from './hearer.ts';
import { type BodyKind, bodyKindOf, type Head, MessageReader, type ReaderSink } from './message-reader.ts';
import { isBodyless } from './reply-bytes.ts';
import { requestBytes } from './request-bytes.ts';
import { type Act, Speaker, withPauses } from './speaker.ts';

/** How long a client that expects to be asked for its body waits for that. */
const EXPECT_MS = 1000;
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** A client: one connection, which plays its script and checks what comes. */
export class Client implements EndpointUser, Listener, ReaderSink {
  readonly #world: World;
  readonly #network: Network;
  readonly #records: Records;
  readonly #script: ClientScript;
  readonly record: ClientRecord;
  readonly #reader = new MessageReader(this);
  #dialling: Dialling | null = null;
  #endpoint: Endpoint | null = null;
  #speaker: Speaker | null = null;
  #hearer: Hearer | null = null;
  /** Bytes that all requests so far have. */
  #plannedBytes = 0;
  #sent = 0;
  #scheduled = false;
  /** Nothing more is sent after the request under way. */
  #last = false;
  #answered = 0;
  #continue: (() => void) | null = null;
  over = false;

  constructor(world: World, network: Network, records: Records, script: ClientScript) {
    this.#world = world;
    this.#network = network;
    this.#records = records;
    this.#script = script;
    this.record = {
      ...{ script, link: null, exchanges: [], saidBytes: 0, ended: null, refused: false, pausedSpans: [] },
      ...{ leftMs: Number.POSITIVE_INFINITY, finMs: Number.POSITIVE_INFINITY, endedMs: Number.POSITIVE_INFINITY },
    };
    records.clients.push(this.record);
    world.after(script.openMs, 'client opens', () => this.#dial());
  }

  #dial(): void {
    const { row, name, nature } = this.#script;
    this.#dialling = this.#network.dialGateway(row, name, nature, (outcome) => {
      if (typeof outcome === 'number') {
        this.record.refused = true;
        this.over = true;
      } else this.#open(outcome);
    });
    this.record.link = this.#dialling.link;
  }

  #open(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
    endpoint.user = this;
    this.#speaker = new Speaker(this.#world, endpoint);
    this.#hearer = new Hearer(this.#world, endpoint, this, this.#script.readPauses);
    this.record.pausedSpans = this.#hearer.pausedSpans;
    this.#hearer.start();
    this.#sendNext();
  }

  readable(): void {
    this.#hearer?.readable();
  }

  writable(): void {
    this.#speaker?.goOn();
    this.#noteSaid();
  }

  // --- what it sends ---------------------------------------------------------------------------------------------------

  #sendNext(): void {
    const request = this.#script.requests[this.#sent];
    if (request === undefined || this.#last || this.#scheduled || this.over) return;
    if (this.#sent - this.#answered >= this.#script.ahead) return;
    this.#scheduled = true;
    this.#world.after(request.gapMs, 'request', () => {
      this.#scheduled = false;
      if (this.over || this.#last) return;
      this.#send();
      this.#sendNext();
    });
  }

  #send(): void {
    const script = this.#script.requests[this.#sent] as ClientScript['requests'][number];
    const { bytes, headBytes, faultAt } = requestBytes(script);
    const start = this.#plannedBytes;
    const exchange: ExchangeRecord = {
      ...{ script, client: this.record, index: this.#sent, start, interims: [], reply: null },
      ...{ headEnd: start + headBytes, end: start + bytes.length, begunMs: this.#world.nowMs },
      faultAt: faultAt === null ? null : start + faultAt,
    };
    this.record.exchanges.push(exchange);
    this.#records.exchanges.set(script.tag, exchange);
    this.#plannedBytes += bytes.length;
    this.#sent++;
    const leaves = script.fault?.kind === 'leave' ? script.fault : null;
    if (leaves !== null) this.#last = true;
    const said = leaves === null ? bytes : bytes.subarray(0, Math.min(leaves.atBytes, bytes.length));
    const isLast = this.#sent === this.#script.requests.length;
    const acts: Act[] = [];
    if (script.expects && said.length > headBytes) {
      acts.push(...withPauses(said.subarray(0, headBytes), script.pauses));
      acts.push({ until: (ready) => this.#awaitContinue(ready) });
      const later = script.pauses
        .filter(({ atBytes }) => atBytes > headBytes)
        .map(({ atBytes, forMs }) => ({ atBytes: atBytes - headBytes, forMs }));
      acts.push(...withPauses(said.subarray(headBytes), later));
    } else acts.push(...withPauses(said, script.pauses));
    if (leaves !== null) acts.push({ run: () => this.#leave(leaves.how) });
    else if (isLast && this.#script.halfCloses) acts.push({ run: () => this.#fin() });
    this.#speaker?.add(...acts);
    this.#noteSaid();
  }

  #awaitContinue(ready: () => void): void {
    let isReady = false;
    const once = () => {
      if (isReady) return;
      isReady = true;
      this.#continue = null;
      ready();
      this.#noteSaid();
    };
    this.#continue = once;
    this.#world.after(EXPECT_MS, 'asked for nothing', once);
  }

  #noteSaid(): void {
    this.record.saidBytes = this.#speaker?.saidBytes ?? 0;
  }

  #fin(): void {
    this.record.finMs = Math.min(this.record.finMs, this.#world.nowMs);
    this.#endpoint?.shutDown();
  }

  /** Goes away, whatever is due. */
  #leave(how: 'close' | 'reset' | 'fin'): void {
    if (this.over) return;
    this.#last = true;
    this.#noteSaid();
    this.record.leftMs = Math.min(this.record.leftMs, this.#world.nowMs);
    if (how === 'fin') this.#fin();
    else this.#end(how);
  }

  #end(how: 'close' | 'reset'): void {
    if (this.over) return;
    this.#noteSaid();
    this.over = true;
    this.#speaker?.stop();
    if (how === 'close') this.#endpoint?.close();
    else this.#endpoint?.reset();
  }

  // --- what it receives ------------------------------------------------------------------------------------------------

  get #current(): ExchangeRecord | undefined {
    return this.record.exchanges[this.#answered];
  }

  heard(bytes: Buffer): void {
    this.#reader.feed(bytes);
    const leaves = this.#script.leavesReading;
    if (
      leaves !== null &&
      (this.#hearer?.heardBytes ?? 0) >= leaves.atBytes &&
      this.record.leftMs > this.#world.nowMs
    ) {
      this.#leave(leaves.how);
    }
  }

  ended(how: 'fin' | 'reset'): void {
    this.record.ended = how;
    this.record.endedMs = this.#world.nowMs;
    if (how === 'fin') this.#reader.ended();
    this.#end('close');
  }

  head(head: Head, start: number): BodyKind {
    const exchange = this.#current;
    const match = /^HTTP\/1\.1 (\d{3}) /.exec(head.firstLine);
    if (exchange === undefined || match === null) {
      const what = exchange === undefined ? 'a reply that nobody asked for' : 'no status line';
      this.#records.find('protocol', `${this.#script.name} received ${what}: ${head.firstLine}`);
      return 'none';
    }
    const status = Number(match[1]);
    if (status < 200) {
      exchange.interims.push(status);
      if (status === 100) this.#continue?.();
      return 'none';
    }
    this.#continue?.();
    exchange.reply = {
      ...{ status, head, begunMs: this.#world.nowMs, start, bodyBytes: 0, kept: [], complete: false },
      ...{ completeMs: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY, trailers: [] },
    };
    return isBodyless(exchange.script.method, status) ? 'none' : bodyKindOf(head, 'to the end');
  }

  body(bytes: Buffer): void {
    const exchange = this.#current;
    const reply = exchange?.reply;
    if (exchange === undefined || reply === null || reply === undefined) return;
    const { fields } = reply.head;
    if (fields.get('x-sim-reply')?.[0]?.startsWith(exchange.script.tag) && !fields.has('content-encoding')) {
      const wanted = bodyOf(exchange.script.tag, '<', reply.bodyBytes, reply.bodyBytes + bytes.length);
      if (!wanted.equals(bytes)) {
        const seen = JSON.stringify(bytes.toString('latin1', 0, 64));
        this.#records.find('foreign bytes', `the reply to ${exchange.script.tag} has at ${reply.bodyBytes} ${seen}`);
      }
    } else if (reply.bodyBytes < MAX_KEPT_BYTES) reply.kept.push(Buffer.from(bytes));
    reply.bodyBytes += bytes.length;
  }

  complete(trailers: readonly string[], end: number): void {
    const exchange = this.#current;
    const reply = exchange?.reply;
    if (exchange === undefined || reply === null || reply === undefined) return;
    reply.complete = true;
    reply.completeMs = this.#world.nowMs;
    reply.end = end;
    reply.trailers = trailers;
    this.#answered++;
    if (this.#answered === this.#script.requests.length) this.#finish();
    else this.#sendNext();
  }

  broken(why: string): void {
    this.#records.find('protocol', `${this.#script.name} received what is no HTTP: ${why}`);
  }

  #finish(): void {
    const { ending } = this.#script;
    if (ending === 'stay') return;
    if (ending === 'fin') this.#fin();
    else this.#end(ending);
  }
}
