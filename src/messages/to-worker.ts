import type { SharedMemory, Slots } from '../memory/shared-memory.ts';
import type { TokenBucketMemory } from '../memory/token-buckets.ts';
import type { ListenSource } from '../net/binding.ts';
import type { TlsClientMaterial } from '../net/tls-client.ts';
import type { TlsServerMaterial } from '../net/tls-server.ts';
import type { CompiledConfig } from '../pipeline/compiled-config.ts';

/** What a worker serves from some moment on. */
export interface ServingPlan {
  readonly compiled: CompiledConfig;
  /** Names the configuration: with the same number nothing but the servers behind names is another than before. */
  readonly configuration: number;
  /** Where its upstreams and backends are counted. */
  readonly slots: Slots;
  /** What its rate limits count in. */
  readonly buckets: TokenBucketMemory;
  readonly tls: TlsMaterial;
  /** The port of the first listener for HTTPS; null without one. */
  readonly httpsPort: number | null;
  /** Sockets of clients and upstreams, over all workers; null for no limit. */
  readonly maxSockets: number | null;
}

/** The first message to a worker. The sockets of its listeners belong into the transfer list. */
export interface StartMessage extends ServingPlan {
  readonly type: 'start';
  readonly shared: SharedMemory;
  /** The worker's own row in every shared table. */
  readonly row: number;
  readonly listeners: readonly ListenerPlan[];
  /** Those that are known so far. */
  readonly keySets: readonly FetchedKeySet[];
  /** How many passwords wait, of `PasswordQueueState.allocate`. */
  readonly passwordQueue: SharedArrayBuffer;
  /** Where the worker writes its lines of the access log, of `AccessBlocks.allocate`. */
  readonly accessMemory: SharedArrayBuffer;
}

/** One listener of a worker. */
export interface ListenerPlan {
  /** Its address, which names it among the worker's. */
  readonly key: string;
  readonly source: ListenSource;
  readonly secure: boolean;
}

/** A worker answers questions, each with its number, not always in their order. */
interface Question {
  readonly question: number;
}

/**
 * The configuration changes in steps, so that either all workers go over to the new one or none. Whatever can fail does so before the
 * commit:
 *
 *   serving --prepare--> prepared --open--> open --commit--> serving the new one
 *      ^                    |    \____no new listener___/
 *      +------discard-------+---------------+
 */
export interface PrepareMessage extends Question {
  readonly type: 'prepare';
  readonly plan: ServingPlan;
  /** All that serve from the commit on. Those that are new are bound. */
  readonly listeners: readonly ListenerPlan[];
}

/** What was bound listens; connections wait there for the commit. */
export interface OpenMessage extends Question {
  readonly type: 'open';
}

export interface CommitMessage extends Question {
  readonly type: 'commit';
}

/** What was prepared, or still is, is given up. */
export interface DiscardMessage extends Question {
  readonly type: 'discard';
}

/** Certificates, keys and authorities, read from their files. */
export interface TlsMaterial {
  /** Null: no listener speaks TLS. */
  readonly server: TlsServerMaterial | null;
  /** Of every upstream over all backends, in the order of the configuration; null for those without TLS. */
  readonly upstreams: readonly (TlsClientMaterial | null)[];
}

/** New certificates or keys: connections that begin from now on use them. */
export interface TlsMessage extends Question {
  readonly type: 'tls';
  readonly tls: TlsMaterial;
}

/** The keys of an issuer of tokens, as its URL gave them last. */
export interface FetchedKeySet {
  readonly url: string;
  /** JSON (RFC 7517 5); null: it has given none yet. */
  readonly text: string | null;
  /** The last fetch failed: the issuer may have other keys by now. */
  readonly failed: boolean;
}

/** News of a key set, or that there are none: it is also the answer to every `key-set-wanted`. */
export interface KeySetMessage extends FetchedKeySet {
  readonly type: 'key-set';
}

/** What has become of a password that a worker asked about. */
export interface PasswordAnswer {
  readonly digest: string;
  /** `full`: too many wait; `failed`: it cannot be told. */
  readonly verdict: 'right' | 'wrong' | 'full' | 'failed';
  /** Until when the same may be said without asking again, where it is right; in milliseconds of the monotonic clock. */
  readonly untilMs: number;
}

export interface PasswordAnswerMessage extends PasswordAnswer {
  readonly type: 'password-answer';
}

/** Accept nothing new, finish what is running, then say `drained`. */
export interface DrainMessage {
  readonly type: 'drain';
}

/** End every connection now, so that no reply that is cut looks whole, then say `drained`. */
export interface CutMessage {
  readonly type: 'cut';
}

export type MessageToWorker =
  | StartMessage
  | PrepareMessage
  | OpenMessage
  | CommitMessage
  | DiscardMessage
  | TlsMessage
  | KeySetMessage
  | PasswordAnswerMessage
  | DrainMessage
  | CutMessage;
