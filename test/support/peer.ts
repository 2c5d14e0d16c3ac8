import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { eventually, guarded, settle } from './guard.ts';
import { type Ending, Inbox } from './inbox.ts';

/** One end of a connection in the hands of the test: what it sends, and what it has received. */
export class Peer {
  readonly socket: Socket;
  readonly inbox = new Inbox();
  readonly #carrier: Socket;
  readonly #name: string;

  /** `carrier`: the socket below TLS, where `socket` speaks it. */
  constructor(socket: Socket, name: string, carrier: Socket = socket) {
    this.socket = socket;
    this.#carrier = carrier;
    this.#name = name;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.inbox.push(chunk));
    socket.on('end', () => this.inbox.end('end'));
    socket.on('error', () => this.inbox.end('reset'));
    socket.on('close', () => this.inbox.end(this.inbox.ending ?? 'reset'));
  }

  get name(): string {
    return this.#name;
  }

  /** Sends text as latin1 or bytes; done when the kernel has them. A connection that is closed meanwhile is no failure. */
  async send(data: string | Buffer): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    const written = new Promise<void>((resolve) => {
      this.socket.write(bytes, () => resolve());
    });
    await guarded(`${this.#name} to send ${bytes.length} bytes`, written, () => this.inbox.describe());
  }

  /** Sends every byte in a write of its own, each in its own turn of the event loop. */
  async sendBytewise(data: string | Buffer): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    for (let at = 0; at < bytes.length; at++) {
      await this.send(bytes.subarray(at, at + 1));
      await settle(1);
    }
  }

  /**
   * Writes `chunk` again and again until the other side stops taking it, at most `limitBytes`.
   * @returns how many bytes left this socket.
   */
  async sendUntilStalled(chunk: Buffer, limitBytes: number): Promise<number> {
    const left = () => this.socket.bytesWritten - this.socket.writableLength;
    const start = left();
    let previous = -1;
    for (let quietTurns = 0; quietTurns < 500 && !this.socket.destroyed; quietTurns++) {
      while (this.socket.writable && this.socket.writableLength === 0 && left() - start < limitBytes) {
        this.socket.write(chunk);
      }
      await settle(1);
      if (left() !== previous) quietTurns = 0;
      previous = left();
      if (left() - start >= limitBytes) break;
    }
    return left() - start;
  }

  /** Sends a FIN and goes on reading. */
  end(): void {
    this.socket.end();
  }

  /** Ends the connection with a reset; after a FIN with an ordinary close, as Node would lose the descriptor otherwise. */
  reset(): void {
    if (this.socket.writableEnded) this.socket.destroy();
    else if (!this.socket.destroyed) this.#carrier.resetAndDestroy();
  }

  /** Stops reading, so that what arrives piles up in the kernel and then at the sender. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Waits for exactly this text. */
  async expectText(text: string): Promise<void> {
    const got = await this.inbox.take(
      Buffer.byteLength(text, 'latin1'),
      `${this.#name} to get ${JSON.stringify(text)}`,
    );
    assert.equal(got.toString('latin1'), text);
  }

  /** Waits until the other side has closed, without another byte before that. */
  async expectClosed(): Promise<Ending> {
    const rest = await this.inbox.takeToEnd(`${this.#name} to be closed`);
    assert.equal(rest.toString('latin1', 0, 600), '', `${this.#name}: bytes before the close`);
    this.socket.end();
    return this.inbox.ending ?? 'end';
  }

  /** Waits until the other side has closed and gives back whatever came before that. */
  async expectClosedAfter(): Promise<Buffer> {
    const rest = await this.inbox.takeToEnd(`${this.#name} to be closed`);
    this.socket.end();
    return rest;
  }

  /** Nothing more has come, and the connection is still open. */
  async expectSilence(): Promise<void> {
    await settle();
    assert.equal(this.inbox.bytes.toString('latin1', 0, 600), '', `${this.#name}: unexpected bytes`);
    assert.equal(this.inbox.ending, null, `${this.#name} is closed`);
  }

  /** Lets go of the socket and waits until it is gone. */
  async dispose(): Promise<void> {
    this.reset();
    await eventually(
      `${this.#name} to be released`,
      () => this.socket.closed,
      () => this.inbox.describe(),
    );
  }
}
