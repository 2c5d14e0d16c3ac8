import type { Clock } from '../base/clock.ts';
import type { PhotonError } from '../base/errors.ts';
import { FIELD } from '../http/field-names.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { AccessBlocks } from '../telemetry/access-blocks.ts';
import { AccessBuffer, type AccessSink } from '../telemetry/access-buffer.ts';
import type { AccessRecord } from '../telemetry/access-record.ts';
import type { Platform } from './platform.ts';

/** The one record of a worker, filled anew for every line. */
class Scratch implements AccessRecord {
  endedMs = 0;
  durationMs = 0;
  requestId = '';
  clientAddress = '';
  scheme: 'http' | 'https' = 'http';
  method = '';
  target = '';
  host = '';
  versionMinor = 1;
  status = 0;
  sentBytes = 0;
  receivedBytes = 0;
  route = '';
  backend = '';
  consumer = '';
  upstream = '';
  upstreamStatus = 0;
  upstreamMs = 0;
  attempts = 0;
  error = '';
  userAgent: string | null = null;
  referer: string | null = null;
}

const FLUSH_EVERY_MS = 100;

/** Writes down the exchanges of one worker as their generations want it. */
export class AccessRecorder {
  readonly #buffer: AccessBuffer;
  readonly #clock: Clock;
  readonly #unixMs: () => number;
  readonly #random: () => number;
  readonly #record = new Scratch();
  /** What makes a time of day of a monotonic one; set at every tick, for the system's clock is put right now and then. */
  #epochMs = 0;
  #flushedMs = 0;

  /** `memory` is of `AccessBlocks.allocate`. */
  constructor(
    clock: Clock,
    { unixMs, random }: Pick<Platform, 'unixMs' | 'random'>,
    memory: SharedArrayBuffer,
    sink: AccessSink,
  ) {
    this.#clock = clock;
    this.#unixMs = unixMs;
    this.#random = random;
    this.#buffer = new AccessBuffer(new AccessBlocks(memory), sink);
    this.#setEpoch();
  }

  /** The exchange is over; `nowMs` is the time of the event in which it ended. */
  finished(exchange: Exchange, error: PhotonError | null, nowMs: number): void {
    // Sound: an exchange pins its generation before anything can end it.
    const policy = (exchange.generation as NonNullable<typeof exchange.generation>).accessPolicy;
    if (policy === null) return;
    const status = statusOf(exchange, error);
    if (error === null && status < 400 && policy.sample < 1 && this.#random() >= policy.sample) return;
    this.#fill(exchange, error, status, nowMs);
    this.#buffer.add(policy.line(this.#record));
  }

  /** Lets time pass: every 100 ms what there is goes to the control thread. */
  tick(): void {
    const nowMs = this.#setEpoch();
    if (nowMs - this.#flushedMs < FLUSH_EVERY_MS) return;
    this.#flushedMs = nowMs;
    this.#buffer.flush();
  }

  /** Hands over every line; no exchange is to follow. */
  flush(): void {
    this.#buffer.flushLast();
  }

  /** When the monotonic clock was at 0, in milliseconds since 1970. */
  get epochMs(): number {
    return this.#epochMs;
  }

  #setEpoch(): number {
    const nowMs = this.#clock.nowMs();
    this.#epochMs = this.#unixMs() - nowMs;
    return nowMs;
  }

  #fill(exchange: Exchange, error: PhotonError | null, status: number, nowMs: number): void {
    const record = this.#record;
    const { request, downstream, route, attempt } = exchange;
    record.endedMs = this.#epochMs + nowMs;
    record.durationMs = nowMs - exchange.begunMs;
    record.requestId = exchange.id;
    record.clientAddress = exchange.clientAddress;
    record.scheme = downstream?.peer.scheme ?? 'http';
    record.method = request.method;
    record.target = request.target;
    record.host = exchange.host;
    record.versionMinor = request.versionMinor;
    record.status = status;
    record.sentBytes = exchange.reply.bodyBytes;
    record.receivedBytes = exchange.body.bytes;
    record.route = route?.id ?? '';
    record.backend = route?.backend.name ?? '';
    record.consumer = exchange.consumer;
    record.upstream = attempt?.upstream?.key ?? '';
    record.upstreamStatus = attempt?.status ?? 0;
    record.upstreamMs = attempt === null ? 0 : (attempt.status === 0 ? nowMs : attempt.answeredMs) - attempt.sentMs;
    record.attempts = exchange.attempts;
    record.error = error?.code ?? '';
    record.userAgent = fieldValue(request, FIELD.USER_AGENT);
    record.referer = fieldValue(request, FIELD.REFERER);
  }
}

/** A client that goes away gets no status any more, whatever it was sent before: 499, as nginx calls it. */
function statusOf({ reply }: Exchange, error: PhotonError | null): number {
  if (error?.code === 'client_closed' || reply.status === 0) return error?.status ?? 0;
  return reply.status;
}

function fieldValue(request: RequestHead, number: number): string | null {
  const field = request.find(number);
  return field === -1 ? null : request.value(field);
}
