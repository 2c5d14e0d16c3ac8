/** Every listener of the worker is open. */
interface ReadyMessage {
  readonly type: 'ready';
}

/** The last connection of a draining worker is gone. */
interface DrainedMessage {
  readonly type: 'drained';
}

/** An event for the log, which the control thread writes. */
export interface LogMessage {
  readonly type: 'log';
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: object;
}

export type MessageToControl = ReadyMessage | DrainedMessage | LogMessage;
