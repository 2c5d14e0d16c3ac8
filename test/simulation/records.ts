import type { Head } from './hosts/message-reader.ts';
import type { Link } from './net/link.ts';
import type { ClientScript, ReplyScript, RequestScript } from './scenario/scenario.ts';

/** What a client received of one reply. */
export interface ReplyRecord {
  readonly status: number;
  readonly head: Head;
  readonly begunMs: number;
  /** Where its head begins in what the gateway wrote. */
  readonly start: number;
  bodyBytes: number;
  /** Of a coded reply, and of one that the gateway made. */
  readonly kept: Buffer[];
  complete: boolean;
  completeMs: number;
  /** Where it ends in what the gateway wrote. */
  end: number;
  trailers: readonly string[];
}

/** One request of a client, and what came of it. */
export interface ExchangeRecord {
  readonly script: RequestScript;
  readonly client: ClientRecord;
  readonly index: number;
  /** Places in what the client sends: its first byte, the end of its head, the byte that is wrong, its end. */
  start: number;
  headEnd: number;
  faultAt: number | null;
  end: number;
  /** When its first byte went out; Infinity for never. */
  begunMs: number;
  readonly interims: number[];
  reply: ReplyRecord | null;
}

export interface ClientRecord {
  readonly script: ClientScript;
  link: Link | null;
  readonly exchanges: ExchangeRecord[];
  /** Bytes that the system took from it. */
  saidBytes: number;
  /** When it went away without waiting for what was due. */
  leftMs: number;
  /** It will send nothing more. */
  finMs: number;
  /** How the gateway ended the connection. */
  ended: 'fin' | 'reset' | null;
  endedMs: number;
  /** The gateway refused the connection. */
  refused: boolean;
  pausedSpans: readonly { fromMs: number; toMs: number }[];
}

/** One sending of a request to an upstream, as it arrived there. */
export interface AttemptRecord {
  readonly tag: string;
  /** What it is an attempt of. */
  readonly exchange: ExchangeRecord | null;
  /** From 1. */
  readonly number: number;
  readonly upstream: number;
  readonly link: Link;
  readonly head: Head;
  readonly script: ReplyScript;
  readonly method: string;
  /** The tag of an exchange that was under way on this connection when it came; null for none. */
  readonly overlaps: string | null;
  /** Places in what the gateway writes on this connection. */
  readonly requestStart: number;
  requestEnd: number;
  arrivedMs: number;
  wholeMs: number;
  bodyBytes: number;
  trailers: readonly string[];
  /** Places in what the upstream sends: its first byte, the end of its head, what is wrong, its end. */
  replyStart: number;
  replyHeadEnd: number;
  replyFaultAt: number | null;
  replyEnd: number;
  /** What the upstream did in the middle of it. */
  broke: 'close' | 'reset' | 'silence' | null;
  brokeMs: number;
  /** The upstream has sent all of it. */
  saidMs: number;
  pausedSpans: readonly { fromMs: number; toMs: number }[];
}

/** What the scripted hooks of middleware saw. */
export class HookLog {
  /** By tag and hook: how often `onFinish` was called. */
  readonly finished = new Map<string, number>();
  /** When a request, or its reply, came to a hook. */
  readonly entered: {
    readonly tag: string;
    readonly hook: number;
    readonly side: 'request' | 'response';
    readonly atMs: number;
  }[] = [];
}

/** Something that must not be. */
export interface Finding {
  readonly kind: string;
  readonly text: string;
}

/** All that the hosts saw. */
export class Records {
  readonly clients: ClientRecord[] = [];
  readonly attempts: AttemptRecord[] = [];
  readonly findings: Finding[] = [];
  /** Exchanges by their tags. */
  readonly exchanges = new Map<string, ExchangeRecord>();

  find(kind: string, text: string): void {
    if (this.findings.length < 20) this.findings.push({ kind, text });
  }

  /** In the order in which the gateway sent them. */
  attemptsOf(tag: string): readonly AttemptRecord[] {
    return this.attempts.filter((attempt) => attempt.tag === tag).sort((one, other) => sentMs(one) - sentMs(other));
  }
}

const sentMs = ({ link, requestStart }: AttemptRecord): number => link.writtenMs(requestStart + 1);
