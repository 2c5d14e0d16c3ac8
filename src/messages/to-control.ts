/** Every listener of the worker is open. */
interface ReadyMessage {
  readonly type: 'ready';
}

/** The last connection of a draining worker is gone. */
interface DrainedMessage {
  readonly type: 'drained';
}

/** The worker is about to load a module of a user: where it does not answer, this is why. */
export interface LoadingMessage {
  readonly type: 'loading';
  readonly middleware: string;
  readonly module: string;
}

/** What every answer has: the number of its question. */
interface Answering {
  readonly question: number;
}

/** The answer to new certificates and keys: every connection that begins from now on uses them. */
interface TlsUsedMessage extends Answering {
  readonly type: 'tls-used';
  /** Why they cannot be used; null when they are. */
  readonly failure: string | null;
}

/** The answer to `prepare`, if that is not given up. */
export interface PreparedMessage extends Answering {
  readonly type: 'prepared';
  /** Why it cannot be served; null when it can. */
  readonly failure: string | null;
  /** How long the worker could do nothing else, in milliseconds. */
  readonly tookMs: number;
  /** Text of users' modules that the worker has loaded since it began, in bytes: what was loaded stays in memory. */
  readonly moduleBytes: number;
  /** How many listeners were bound for it, which have to be opened. */
  readonly bound: number;
}

/** The answer to `open`. */
export interface OpenedMessage extends Answering {
  readonly type: 'opened';
  /** Why a listener cannot be opened; null when all are open. */
  readonly failure: string | null;
}

/** The answer to `commit`: every request that begins from now on is served by the new configuration. */
export interface CommittedMessage extends Answering {
  readonly type: 'committed';
  readonly tookMs: number;
}

/** The answer to `discard`: what was bound and opened is closed. */
interface DiscardedMessage extends Answering {
  readonly type: 'discarded';
}

/** A token names a key that is not known: have the set of this URL fetched anew, if that was not done just now, and answer. */
export interface KeySetWantedMessage {
  readonly type: 'key-set-wanted';
  readonly url: string;
}

/** Is this the password? It is answered with `password-answer`, not always in the order of the questions. */
interface PasswordWantedMessage {
  readonly type: 'password-wanted';
  /** Stands for the user, the hash and the password. */
  readonly digest: string;
  readonly hash: string;
  readonly password: string;
}

/** An event for the log, which the control thread writes. */
export interface LogMessage {
  readonly type: 'log';
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: object;
}

/** Lines of the access log: a block of the memory that the worker started with, which is ours until it is freed. */
export interface AccessLinesMessage {
  readonly type: 'access-lines';
  readonly block: number;
  /** How much of the block is lines. */
  readonly bytes: number;
  readonly lines: number;
}

/** Lines that the worker had no room for, since it last said so. */
interface AccessDroppedMessage {
  readonly type: 'access-dropped';
  readonly lines: number;
}

export type MessageToControl =
  | ReadyMessage
  | LoadingMessage
  | DrainedMessage
  | TlsUsedMessage
  | PreparedMessage
  | OpenedMessage
  | CommittedMessage
  | DiscardedMessage
  | LogMessage
  | KeySetWantedMessage
  | PasswordWantedMessage
  | AccessLinesMessage
  | AccessDroppedMessage;
