/** Every listener of the worker is open. */
interface ReadyMessage {
  readonly type: 'ready';
}

/** The last connection of a draining worker is gone. */
interface DrainedMessage {
  readonly type: 'drained';
}

/** The answer to new certificates and keys: every connection that begins from now on uses them. */
interface TlsUsedMessage {
  readonly type: 'tls-used';
}

/** An event for the log, which the control thread writes. */
export interface LogMessage {
  readonly type: 'log';
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: object;
}

export type MessageToControl = ReadyMessage | DrainedMessage | TlsUsedMessage | LogMessage;
