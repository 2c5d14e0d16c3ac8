import type { Connection } from './connection.ts';
import type { Timer } from './timer-wheel.ts';

const LINGER_MS = 2000;

/**
 * The end of a connection to a client: our FIN is on its way, and bytes that still come are discarded. Closing at once instead could make
 * the kernel send RST and lose the reply on its way (RFC 9112 9.6).
 *
 * It is over when the client has sent FIN too and all is written, or when nothing is left to write after two seconds. The output decides
 * about a reader that is slow but takes bytes. A client that has not finished its TLS handshake by then can be sent nothing.
 */
export class Lingering {
  readonly #connection: Connection;
  readonly #timer: Timer;

  constructor(connection: Connection, timer: Timer) {
    this.#connection = connection;
    this.#timer = timer;
  }

  begin(): void {
    this.#timer.arm(LINGER_MS);
  }

  /** The client will send no more. Unwritten bytes still go to a client that only ended its sending. */
  peerEnded(): void {
    if (!this.#isTaking) this.#connection.destroy();
  }

  timeOver(): void {
    if (this.#isTaking) this.begin();
    else this.#connection.destroy();
  }

  /** The client has still to take something, and can. */
  get #isTaking(): boolean {
    return this.#connection.pendingBytes > 0 && !this.#connection.handshaking;
  }
}
