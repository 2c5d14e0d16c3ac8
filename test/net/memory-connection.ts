import assert from 'node:assert/strict';
import type { Clock } from '../../src/base/clock.ts';
import type { ByteReceiver, Connection, ConnectTarget } from '../../src/net/connection.ts';
import { IoContext } from '../../src/net/io-context.ts';
import type { Transport } from '../../src/net/transport.ts';

/** A worker's connections without sockets: the test is the network, and time passes when it says so. */
export class MemoryNet implements Clock {
  #nowMs = 1000;
  readonly faults: unknown[] = [];
  /** What is due when the event loop has told of all that was ready. */
  readonly #afterEvents: (() => void)[] = [];
  readonly io: IoContext = new IoContext(this, (error) => this.faults.push(error), {
    afterEvents: (work, subject) => this.#afterEvents.push(() => work(subject)),
  });
  /** Connections that the transport opened, in their order. */
  readonly outgoing: MemoryConnection[] = [];
  readonly targets: ConnectTarget[] = [];
  /** What went before everything else on each of them. */
  readonly prefaces: string[] = [];
  readonly #dying: MemoryConnection[] = [];
  /** False: connections that were closed say so only when `reportClosings` is called, as sockets do after their event. */
  reportsClosings = true;
  /** False: outgoing connections stay half-open until the test opens them. */
  opensAtOnce = true;
  /** Counts writes over all connections. */
  writes = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  /** Something that happens in the worker, to its end. */
  event(work: () => void): void {
    work();
    this.io.settle();
    for (let next = this.#afterEvents.shift(); next !== undefined; next = this.#afterEvents.shift()) next();
    if (this.reportsClosings) this.reportClosings();
  }

  /** Lets time pass in steps of a tick. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 50) {
      this.#nowMs += Math.min(left, 50);
      this.event(() => this.io.tick());
    }
  }

  died(connection: MemoryConnection): void {
    this.#dying.push(connection);
  }

  reportClosings(): void {
    for (let next = this.#dying.shift(); next !== undefined; next = this.#dying.shift()) {
      next.receiver?.closed(next.failure);
      this.io.settle();
    }
  }

  readonly transport: Transport = {
    name: 'plain',
    createServer: () => assert.fail('nobody listens here'),
    adopt: () => assert.fail('nobody is accepted here'),
    connect: (_io, target, receiver, preface = '') => {
      const connection = new MemoryConnection(this);
      connection.receiver = receiver;
      this.outgoing.push(connection);
      this.targets.push(target);
      this.prefaces.push(preface);
      if (this.opensAtOnce) queueMicrotask(() => connection.opens());
      return connection;
    },
  };
}

/** One end of a connection; the test holds the other. */
export class MemoryConnection implements Connection {
  readonly handshaking = false;
  readonly certificateSubject: string | null = null;
  readonly #net: MemoryNet;
  receiver: ByteReceiver | null = null;
  remoteAddress = '192.0.2.7';
  remotePort = 4711;
  localAddress = '192.0.2.1';
  localPort = 8080;
  /** What was written, as latin1 text; a slow peer has not taken it. */
  written = '';
  /** False: the peer takes nothing, and what is written pends. */
  peerTakes = true;
  pendingBytes = 0;
  endsMessage = false;
  paused = false;
  /** FIN was asked for. */
  writingEnded = false;
  destroyed = false;
  wasReset = false;
  failure: string | null = null;
  /** Which of the writes of the whole net was the last one here. */
  lastWrite = 0;
  opened = false;
  #backlog: (() => void)[] = [];

  constructor(net: MemoryNet) {
    this.#net = net;
  }

  get alive(): boolean {
    return !this.destroyed;
  }

  get untakenBytes(): number {
    return this.pendingBytes;
  }

  // --- as the worker uses it -------------------------------------------------------------------------------------------

  writeText(text: string): void {
    if (this.destroyed || this.writingEnded) return;
    this.written += text;
    this.lastWrite = ++this.#net.writes;
    if (!this.peerTakes) this.pendingBytes += text.length;
  }

  writeBytes(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): void {
    this.writeText(prefix + bytes.toString('latin1', start, end) + suffix);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    if (this.#backlog.length > 0) queueMicrotask(() => this.#catchUp());
  }

  endWriting(): void {
    this.writingEnded = true;
  }

  destroy(): void {
    if (this.destroyed) return;
    if (this.endsMessage && (!this.writingEnded || this.pendingBytes > 0)) this.wasReset = true;
    this.destroyed = true;
    this.pendingBytes = 0;
    this.#net.died(this);
  }

  reset(): void {
    this.wasReset = this.wasReset || !this.destroyed;
    this.destroy();
  }

  // --- as the other side uses it ---------------------------------------------------------------------------------------

  opens(): void {
    if (this.destroyed || this.opened) return;
    this.opened = true;
    this.#net.event(() => this.receiver?.connected());
  }

  /** Sends text; it stands in the worker's shared buffer, and something else does right afterwards. */
  sends(text: string): void {
    this.#heard(() => {
      const { shared } = this.#net.io.buffers;
      for (let at = 0; at < text.length && !this.destroyed; at += shared.length) {
        const length = shared.write(text.slice(at, at + shared.length), 'latin1');
        this.#guarded(() => this.receiver?.received(shared, 0, length));
        shared.fill('!');
        this.#net.io.settle();
      }
    });
  }

  ends(): void {
    this.#heard(() => this.#guarded(() => this.receiver?.ended()));
  }

  /** Goes away with a reset: noticed although reading is paused. */
  breaks(): void {
    if (this.destroyed) return;
    this.failure = 'ECONNRESET';
    this.#net.event(() => this.destroy());
  }

  /** Takes all that pends, and goes on taking. */
  takesAll(): void {
    this.peerTakes = true;
    if (this.pendingBytes === 0 || this.destroyed) return;
    this.pendingBytes = 0;
    this.#net.event(() => this.#guarded(() => this.receiver?.writable()));
  }

  #heard(event: () => void): void {
    if (this.destroyed) return;
    if (this.paused) this.#backlog.push(event);
    else this.#net.event(event);
  }

  #catchUp(): void {
    while (!this.paused && !this.destroyed && this.#backlog.length > 0)
      this.#net.event(this.#backlog.shift() ?? (() => {}));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#net.io.fault(error);
      this.destroy();
    }
  }
}
