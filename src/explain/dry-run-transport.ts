import type { ByteReceiver, Connection, ConnectTarget } from '../net/connection.ts';
import type { IoContext } from '../net/io-context.ts';
import type { Transport } from '../net/transport.ts';

/** A transport that opens nothing, and keeps what would have gone to an upstream. */
export class DryRunTransport implements Transport {
  readonly name = 'plain';
  #last: DryRunConnection | null = null;

  createServer(): never {
    throw new Error('a dry run does not listen');
  }

  adopt(): never {
    throw new Error('a dry run accepts nothing');
  }

  connect(_io: IoContext, target: ConnectTarget, receiver: ByteReceiver): Connection {
    this.#last = new DryRunConnection(target, receiver);
    return this.#last;
  }

  /** The connection opened since the last call, or null. */
  takeLast(): DryRunConnection | null {
    const last = this.#last;
    this.#last = null;
    return last;
  }
}

/** A connection that never opens, and keeps what is written to it. */
export class DryRunConnection implements Connection {
  readonly target: ConnectTarget;
  readonly #receiver: ByteReceiver;
  /** Latin1 text. */
  written = '';
  alive = true;
  readonly remoteAddress = '';
  readonly remotePort = 0;
  readonly localAddress = '';
  readonly localPort = 0;
  readonly certificateSubject = null;
  readonly handshaking = false;
  readonly pendingBytes = 0;
  readonly untakenBytes = 0;
  endsMessage = false;

  constructor(target: ConnectTarget, receiver: ByteReceiver) {
    this.target = target;
    this.#receiver = receiver;
  }

  writeText(text: string): void {
    this.written += text;
  }

  writeBytes(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): void {
    this.written += prefix + bytes.toString('latin1', start, end) + suffix;
  }

  pause(): void {
    // Nothing comes.
  }

  resume(): void {
    // Nothing comes.
  }

  endWriting(): void {
    // What was written is all there is.
  }

  destroy(): void {
    this.alive = false;
  }

  reset(): void {
    this.alive = false;
  }

  /** Says that it is gone: its upstream no longer counts it. */
  reportClosed(): void {
    this.alive = false;
    this.#receiver.closed(null);
  }
}
