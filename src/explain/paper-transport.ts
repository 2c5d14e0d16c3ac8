import type { ByteReceiver, Connection, ConnectTarget } from '../net/connection.ts';
import type { IoContext } from '../net/io-context.ts';
import type { Transport } from '../net/transport.ts';

/** A transport that opens nothing: what would have gone to an upstream stands on paper. */
export class PaperTransport implements Transport {
  readonly name = 'plain';
  #last: PaperConnection | null = null;

  createServer(): never {
    throw new Error('nothing listens on paper');
  }

  adopt(): never {
    throw new Error('nothing is accepted on paper');
  }

  connect(_io: IoContext, target: ConnectTarget, receiver: ByteReceiver): Connection {
    this.#last = new PaperConnection(target, receiver);
    return this.#last;
  }

  /** The connection opened since the last call, or null. */
  takeLast(): PaperConnection | null {
    const last = this.#last;
    this.#last = null;
    return last;
  }
}

/** A connection that never opens, and keeps what is written to it. */
export class PaperConnection implements Connection {
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
  tellClosed(): void {
    this.alive = false;
    this.#receiver.closed(null);
  }
}
