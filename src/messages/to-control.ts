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

/** Lines of the access log: the block goes along with the message, and comes back when they are written. */
export interface AccessLinesMessage {
  readonly type: 'access-lines';
  readonly block: ArrayBuffer;
  /** How much of the block is lines. */
  readonly bytes: number;
  readonly lines: number;
}

/** Lines that the worker had no room for, since it last said so. */
interface AccessDroppedMessage {
  readonly type: 'access-dropped';
  readonly lines: number;
}

export type MessageToControl = ReadyMessage | DrainedMessage | LogMessage | AccessLinesMessage | AccessDroppedMessage;
