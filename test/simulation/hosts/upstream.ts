import { Random } from '../../support/random.ts';
import type { Endpoint, EndpointUser } from '../net/endpoint.ts';
import type { Link } from '../net/link.ts';
import type { LinkNature, Listening } from '../net/network.ts';
import type { AttemptRecord, Records } from '../records.ts';
import type { ReplyScript, Scenario, UpstreamScript } from '../scenario/scenario.ts';
import type { Planned, World } from '../world.ts';
import { bodyOf } from './blocks.ts';
import { Hearer, type Listener } from './hearer.ts';
import { type BodyKind, bodyKindOf, type Head, MessageReader, type ReaderSink } from './message-reader.ts';
import { replyBytes } from './reply-bytes.ts';
import { type Act, Speaker, withPauses } from './speaker.ts';

/** What a reply that nobody asked for names. */
const SURPLUS_REPLY = 'surplus/1';

/** Bytes that no request asked for. The last are the body of a reply that has none. */
const SURPLUS = {
  reply: `HTTP/1.1 200 Foreign\r\nX-Sim-Reply: ${SURPLUS_REPLY}\r\nContent-Length: 7\r\n\r\nforeign`,
  'line end': '\r\n',
  body: 'a body that nobody asked for',
} as const;

/** A server: it answers each request as its script says, whichever connection the request comes on. */
export class UpstreamHost implements Listening {
  readonly number: number;
  readonly world: World;
  readonly records: Records;
  readonly script: UpstreamScript;
  readonly replies: ReplyScripts;
  #connections = 0;

  constructor(world: World, records: Records, script: UpstreamScript, number: number, replies: ReplyScripts) {
    this.world = world;
    this.records = records;
    this.script = script;
    this.number = number;
    this.replies = replies;
  }

  admission(): 'accept' | 'refuse' | 'ignore' {
    const { nowMs } = this.world;
    return this.script.outages.find(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs)?.how ?? 'accept';
  }

  nature(): LinkNature {
    const { nature } = this.script;
    return { ...nature, seed: new Random(nature.seed + 7919 * this.#connections++).below(2 ** 31) };
  }

  accept(endpoint: Endpoint, link: Link): void {
    new UpstreamConnection(this, endpoint, link).start();
  }
}

/** What an upstream does with each request, by its tag; and how often each has come. */
export class ReplyScripts {
  readonly #scripts = new Map<string, readonly ReplyScript[]>();
  readonly #came = new Map<string, number>();

  constructor({ clients }: Scenario) {
    for (const { requests } of clients) for (const { tag, replies } of requests) this.#scripts.set(tag, replies);
  }

  /** For the next attempt, and its number; null for a request of no client. */
  next(tag: string): { readonly script: ReplyScript; readonly number: number } | null {
    const scripts = this.#scripts.get(tag);
    if (scripts === undefined) return null;
    const number = (this.#came.get(tag) ?? 0) + 1;
    this.#came.set(tag, number);
    return { script: scripts[Math.min(number, scripts.length) - 1] as ReplyScript, number };
  }
}

class UpstreamConnection implements EndpointUser, Listener, ReaderSink {
  readonly #host: UpstreamHost;
  readonly #endpoint: Endpoint;
  readonly #link: Link;
  readonly #reader = new MessageReader(this);
  readonly #speaker: Speaker;
  readonly #hearer: Hearer;
  #attempt: AttemptRecord | null = null;
  #replying = false;
  #whole: (() => void)[] = [];
  #plannedBytes = 0;
  #idle: Planned | null = null;

  constructor(host: UpstreamHost, endpoint: Endpoint, link: Link) {
    this.#host = host;
    this.#endpoint = endpoint;
    this.#link = link;
    this.#speaker = new Speaker(host.world, endpoint);
    this.#hearer = new Hearer(host.world, endpoint, this);
    endpoint.user = this;
  }

  start(): void {
    this.#hearer.start();
    this.#becomeIdle();
  }

  readable(): void {
    this.#hearer.readable();
  }

  writable(): void {
    this.#speaker.goOn();
    this.#holdIfEcho();
  }

  #holdIfEcho(): void {
    this.#hearer.hold(this.#attempt?.script.echoes === true && this.#speaker.stuck);
  }

  heard(bytes: Buffer): void {
    this.#reader.feed(bytes);
    this.#holdIfEcho();
  }

  /** The gateway has given this connection up. */
  ended(): void {
    this.#speaker.stop();
    this.#endpoint.close();
  }

  broken(why: string): void {
    this.#host.records.find('protocol', `${this.#host.script.address} received what is no HTTP: ${why}`);
  }

  head(head: Head, start: number): BodyKind {
    const { records, world, number: upstream, replies } = this.#host;
    if (this.#idle !== null) world.cancel(this.#idle);
    const [method = '', target = ''] = head.firstLine.split(' ');
    const tag = /[?&]id=(t\d+)/.exec(target)?.[1] ?? '';
    const next = replies.next(tag);
    if (next === null || !/^[A-Z]+ \/\S* HTTP\/1\.1$/.test(head.firstLine)) {
      records.find('protocol', `${this.#host.script.address} received ${JSON.stringify(head.firstLine)}`);
      return 'none';
    }
    const isBusy = this.#attempt !== null && (this.#replying || this.#attempt.wholeMs === Number.POSITIVE_INFINITY);
    const attempt: AttemptRecord = {
      exchange: records.exchanges.get(tag) ?? null,
      ...{ tag, number: next.number, upstream, link: this.#link, head, script: next.script, method },
      overlaps: isBusy ? (this.#attempt?.tag ?? null) : null,
      ...{ requestStart: start, requestEnd: Number.POSITIVE_INFINITY, arrivedMs: world.nowMs },
      ...{ wholeMs: Number.POSITIVE_INFINITY, bodyBytes: 0, trailers: [] },
      ...{ replyStart: Number.POSITIVE_INFINITY, replyHeadEnd: Number.POSITIVE_INFINITY, replyFaultAt: null },
      ...{ replyEnd: Number.POSITIVE_INFINITY, broke: null, brokeMs: Number.POSITIVE_INFINITY },
      ...{ saidMs: Number.POSITIVE_INFINITY, pausedSpans: this.#hearer.pausedSpans },
    };
    records.attempts.push(attempt);
    this.#attempt = attempt;
    this.#whole = [];
    const { readPauses, when } = next.script;
    this.#hearer.addPauses(readPauses);
    if (head.fields.has('expect') && when !== 'head') this.#sayBytes(Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'));
    if (when === 'head') this.#reply(attempt);
    else if (when === 'whole') this.#whole.push(() => this.#reply(attempt));
    return bodyKindOf(head, 'none');
  }

  body(bytes: Buffer): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    const { tag, bodyBytes, script } = attempt;
    if (!bodyOf(tag, '>', bodyBytes, bodyBytes + bytes.length).equals(bytes)) {
      const seen = JSON.stringify(bytes.toString('latin1', 0, 64));
      this.#host.records.find('foreign bytes', `the body of ${tag} has at ${bodyBytes} ${seen}`);
    }
    attempt.bodyBytes += bytes.length;
    if (typeof script.when === 'number' && bodyBytes < script.when && attempt.bodyBytes >= script.when) {
      this.#reply(attempt);
    }
  }

  complete(trailers: readonly string[], end: number): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    attempt.wholeMs = this.#host.world.nowMs;
    attempt.requestEnd = end;
    attempt.trailers = trailers;
    if (typeof attempt.script.when === 'number' && attempt.script.when > attempt.bodyBytes) this.#reply(attempt);
    for (const told of this.#whole.splice(0)) told();
  }

  // --- what it sends ---------------------------------------------------------------------------------------------------

  #sayBytes(bytes: Buffer): void {
    this.#plannedBytes += bytes.length;
    this.#speaker.add({ say: bytes });
  }

  #reply(attempt: AttemptRecord): void {
    const { world } = this.#host;
    const { script, tag, method, number } = attempt;
    const { bytes, headBytes, faultAt, endAt } = replyBytes(script, tag, method, number);
    const { fault } = script;
    this.#replying = true;
    const breaks = fault !== null && 'atBytes' in fault && fault.kind !== 'chunk' ? fault : null;
    const said = breaks === null ? bytes : bytes.subarray(0, Math.min(breaks.atBytes, bytes.length));
    const start = this.#plannedBytes;
    attempt.replyStart = start;
    attempt.replyHeadEnd = start + headBytes;
    attempt.replyFaultAt = faultAt === null ? null : start + faultAt;
    attempt.replyEnd = start + endAt;
    this.#plannedBytes += said.length;
    const acts: Act[] = [{ waitMs: script.delayMs }, ...this.#paced(said, script)];
    if (breaks !== null) acts.push({ run: () => this.#break(attempt, breaks.kind) });
    else acts.push({ run: () => this.#said(attempt) });
    if (fault?.kind === 'surplus') {
      if (fault.afterMs > 0) acts.push({ waitMs: fault.afterMs });
      // Before the close that may follow.
      const surplus = Buffer.from(SURPLUS[fault.what]);
      this.#plannedBytes += surplus.length;
      acts.push({ say: surplus });
    }
    if (breaks === null && (script.closes || script.framing === 'close' || script.versionMinor === 0)) {
      acts.push({ run: () => this.#endpoint.close() });
    }
    this.#speaker.add(...acts);
    world.note(said.length);
  }

  #paced(bytes: Buffer, { pauses, waitsForWhole }: ReplyScript): readonly Act[] {
    if (waitsForWhole === null || waitsForWhole >= bytes.length) return withPauses(bytes, pauses);
    const wait: Act = {
      until: (ready) => {
        if (this.#attempt?.wholeMs !== Number.POSITIVE_INFINITY) ready();
        else this.#whole.push(ready);
      },
    };
    return [...withPauses(bytes.subarray(0, waitsForWhole), pauses), wait, { say: bytes.subarray(waitsForWhole) }];
  }

  #break(attempt: AttemptRecord, how: 'close' | 'reset' | 'silence'): void {
    attempt.broke = how;
    this.#replying = false;
    attempt.brokeMs = this.#host.world.nowMs;
    if (how === 'close') this.#endpoint.close();
    else if (how === 'reset') this.#endpoint.reset();
  }

  #said(attempt: AttemptRecord): void {
    attempt.saidMs = this.#host.world.nowMs;
    this.#replying = false;
    this.#becomeIdle();
  }

  #becomeIdle(): void {
    const { idleMs } = this.#host.script;
    if (idleMs === null) return;
    this.#idle = this.#host.world.after(idleMs, 'idle for too long', () => this.#endpoint.close());
  }
}
