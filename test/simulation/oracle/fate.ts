import { isBodyless } from '../hosts/reply-bytes.ts';
import type { AttemptRecord } from '../records.ts';
import type { Run } from '../run.ts';
import type { BackendScript } from '../scenario/scenario.ts';
import { lateMs, longestSilence, SAME_MS } from './timeline.ts';

/** What one attempt came to, by what the upstream did: nothing of it is the doing of a client. */
export interface Fate {
  /** The gateway could read all of the reply. */
  readonly whole: boolean;
  /** The server failed in one of these ways, each with what the client may see of it before the head is out. */
  readonly failures: readonly {
    readonly status: 502 | 504;
    readonly why: string;
    readonly atMs: number;
    readonly certain: boolean;
  }[];
  /** Its head is none. */
  readonly isBad: boolean;
  /** The gateway has read the whole head. */
  readonly headMs: number;
  readonly wholeMs: number;
}

export function fateOf(run: Run, attempt: AttemptRecord, backends: readonly BackendScript[]): Fate {
  const { link, script } = attempt;
  const headMs = link.readMs(attempt.replyHeadEnd);
  const wholeMs = endReadMs(attempt);
  const failures: Fate['failures'][number][] = [];
  const { replyFaultAt: faultAt } = attempt;
  if (faultAt !== null) {
    const certain = !isBodyless(attempt.method, script.status) || script.fault?.kind !== 'malformed';
    // A fault of the head may show with its first byte.
    const atMs = link.readMs(script.fault?.kind === 'malformed' ? attempt.replyStart + 1 : faultAt + 1);
    if (Number.isFinite(atMs)) failures.push({ status: 502, why: 'a malformed reply', atMs, certain });
  }
  if (attempt.broke === 'close' || attempt.broke === 'reset') {
    if (wholeMs === Number.POSITIVE_INFINITY) {
      failures.push({ status: 502, why: `the upstream ${attempt.broke}s`, atMs: attempt.brokeMs, certain: true });
    }
  }
  // A server that closes with bytes of the request unread resets the connection, and may lose its reply by that.
  const isThere = script.framing !== 'close' && isReadBeforeReset(run, attempt);
  const mayBeLost = !isThere && (wholeMs === Number.POSITIVE_INFINITY || script.framing === 'close');
  if (attempt.broke !== 'reset' && mayBeLost && Number.isFinite(link.resetArrivedMs)) {
    failures.push({ status: 502, why: 'the upstream closed early', atMs: link.resetArrivedMs, certain: false });
  }
  const silentMs = longestSilence(attempt, endArrivedMs(attempt));
  for (const { readTimeoutMs, writeTimeoutMs } of backends) {
    if (silentMs >= readTimeoutMs - SAME_MS) {
      const certain = silentMs > readTimeoutMs + lateMs(run);
      failures.push({ status: 504, why: `silent for ${silentMs} ms`, atMs: link.closedMs, certain });
    }
    const pausedMs = Math.max(
      0,
      ...attempt.pausedSpans.map(({ fromMs, toMs }) => Math.min(toMs, link.closedMs) - fromMs),
    );
    if (pausedMs >= writeTimeoutMs - SAME_MS) {
      failures.push({ status: 504, why: `did not read for ${pausedMs} ms`, atMs: link.closedMs, certain: false });
    }
  }
  const isMalformed = failures.some(({ status, certain }) => status === 502 && certain);
  const isBad = script.fault?.kind === 'malformed';
  return { isBad, whole: Number.isFinite(wholeMs) && !isMalformed, failures, headMs, wholeMs };
}

/** All of the reply arrives before the reset, while the gateway reads: then it has it, reset or not. */
function isReadBeforeReset({ scenario }: Run, { link, replyEnd }: AttemptRecord): boolean {
  const endMs = link.arrivedMs(replyEnd);
  // A stream of Node that is paused goes on to read from the system, and loses what it has.
  if (scenario.transport !== 'onread' || endMs > link.resetArrivedMs) return false;
  return link.readingSpans.some(({ fromMs, toMs }) => fromMs <= endMs && toMs > endMs);
}

/** When the gateway had read the end: for a reply that ends with its connection, that end too, wherever it comes. */
export function endReadMs(attempt: AttemptRecord): number {
  const { link, script } = attempt;
  if (script.framing !== 'close' || isBodyless(attempt.method, script.status)) return link.readMs(attempt.replyEnd);
  if (!Number.isFinite(link.readMs(attempt.replyHeadEnd))) return Number.POSITIVE_INFINITY;
  if (attempt.broke === 'close') return Math.max(link.finArrivedMs, link.readMs(attempt.replyHeadEnd));
  const endMs = link.readMs(attempt.replyEnd);
  return Math.max(endMs, link.finArrivedMs);
}

/** When all of the reply had come, whether or not the gateway had read it. */
export function endArrivedMs({ link, script, method, replyEnd, broke }: AttemptRecord): number {
  if (script.framing !== 'close' || isBodyless(method, script.status)) return link.arrivedMs(replyEnd);
  return broke === 'close' ? link.finArrivedMs : Math.max(link.arrivedMs(replyEnd), link.finArrivedMs);
}

/** How many bytes of body an attempt's reply has when it is whole. */
export function bodyBytesOf({ script, method, broke, replyStart, replyHeadEnd }: AttemptRecord): number {
  if (isBodyless(method, script.status) || script.framing === 'none') return 0;
  const { fault, framing, bytes } = script;
  if (framing !== 'close' || broke !== 'close' || fault === null || !('atBytes' in fault)) return bytes;
  return Math.max(0, Math.min(bytes, fault.atBytes - (replyHeadEnd - replyStart)));
}
