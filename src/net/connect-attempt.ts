import { connect, type Socket } from 'node:net';
import { connectOptions } from './connect-options.ts';
import type { ByteReceiver, ConnectTarget } from './connection.ts';
import type { IoContext } from './io-context.ts';

/** The receiver of the outcome of a connect attempt. */
export type AttemptListener = Pick<ByteReceiver, 'connected' | 'closed'>;

/** A socket that knows its attempt, so that listeners are shared functions. */
interface AttemptSocket extends Socket {
  photonAttempt: ConnectAttempt;
}

/**
 * Finds out whether a server accepts connections, TLS aside, and nothing else: no byte is written or read, so that a check costs 53 us
 * of CPU time and not 56 (docs/benchmarks.md, health checks).
 */
export class ConnectAttempt {
  readonly #io: IoContext;
  readonly #listener: AttemptListener;
  readonly #socket: AttemptSocket;
  #failure: string | null = null;

  constructor(io: IoContext, target: ConnectTarget, listener: AttemptListener) {
    this.#io = io;
    this.#listener = listener;
    const socket = connect({ ...connectOptions(target), noDelay: false }) as AttemptSocket;
    socket.photonAttempt = this;
    this.#socket = socket.once('connect', onConnect).once('error', onError).once('close', onClose);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  opened(): void {
    try {
      this.#listener.connected();
    } catch (error) {
      this.#io.fault(error);
      this.destroy();
    }
    this.#io.settle();
  }

  failed(code: string): void {
    this.#failure = code;
  }

  gone(): void {
    try {
      this.#listener.closed(this.#failure);
    } catch (error) {
      this.#io.fault(error);
    }
    this.#io.settle();
  }
}

function onConnect(this: Socket): void {
  (this as AttemptSocket).photonAttempt.opened();
}

function onError(this: Socket, error: NodeJS.ErrnoException): void {
  (this as AttemptSocket).photonAttempt.failed(error.code ?? error.name);
}

function onClose(this: Socket): void {
  (this as AttemptSocket).photonAttempt.gone();
}
