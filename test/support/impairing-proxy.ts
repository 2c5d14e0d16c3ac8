import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import type { Scope } from '../control/photon-process.ts';

/** What happens to the bytes of one direction; nothing of it, and they pass. */
export interface Impairment {
  /** Each piece is held back for so long. */
  readonly delayMs?: number;
  /** Nothing passes, and nothing more is read; what has come passes when this ends. */
  readonly stalled?: boolean;
  /** What comes is read, and lost. */
  readonly lost?: boolean;
  /** Each byte in a segment of its own. */
  readonly trickled?: boolean;
  /** A FIN after so many bytes, which count from the impairment on, on every connection by itself. */
  readonly cutAfterBytes?: number;
  /** An RST, likewise, for both ends. */
  readonly resetAfterBytes?: number;
}

export interface Impairments {
  readonly toUpstream?: Impairment;
  readonly toGateway?: Impairment;
}

/** As a server whose program hangs: the system takes its connections, and nobody ever answers. */
export const NEVER_ANSWERS: Impairments = { toUpstream: { lost: true } };

/**
 * A TCP proxy between the gateway and a real upstream that impairs what passes:
 *
 *   gateway --- accepted --(toUpstream)--> opened --- upstream
 *                        <--(toGateway)---
 *
 * What it does changes during a test, for the connections that are open too. A refused or broken connection to the upstream resets
 * the gateway's.
 */
export class ImpairingProxy {
  readonly #upstreamPort: number;
  #server = createServer();
  readonly #relays = new Set<Relay>();
  readonly #state = new EventEmitter<{ changed: [] }>().setMaxListeners(0);
  #impairments: Impairments = {};
  port = 0;
  /** Connections that the gateway has opened. */
  connections = 0;
  /** Connections that were cut or reset on purpose. */
  broken = 0;

  private constructor(upstreamPort: number) {
    this.#upstreamPort = upstreamPort;
  }

  /** Runs until the scope ends. */
  static async start(t: Scope, upstreamPort: number): Promise<ImpairingProxy> {
    const proxy = new ImpairingProxy(upstreamPort);
    t.after(() => proxy.#close());
    await proxy.accept();
    return proxy;
  }

  /** From now on these, and no others. */
  impair(impairments: Impairments): void {
    this.#impairments = impairments;
    for (const relay of this.#relays) relay.restartCounts();
    this.#state.emit('changed');
  }

  /** Stops listening: new connections are refused. Those that are open stay. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    // Its 'close' waits for the connections; the port is free at once.
    this.#server.close();
    await turn();
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.#server.listening) return;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (accepted) => this.#relay(accepted));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection that is open. */
  resetConnections(): void {
    for (const relay of this.#relays) relay.reset();
  }

  async #close(): Promise<void> {
    await this.refuse();
    this.resetConnections();
    this.#state.emit('changed');
  }

  #relay(accepted: Socket): void {
    this.connections++;
    const opened = connect({ port: this.#upstreamPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const relay = new Relay(accepted, opened, {
      impairment: (direction) => this.#impairments[direction] ?? {},
      changed: async () => void (await once(this.#state, 'changed')),
      broken: () => this.broken++,
    });
    this.#relays.add(relay);
    void relay.finished.then(() => this.#relays.delete(relay));
  }
}

type Direction = keyof Impairments;

interface RelayContext {
  impairment(direction: Direction): Impairment;
  /** Resolves with the next change. */
  changed(): Promise<void>;
  broken(): void;
}

/** One connection of the gateway, and the one to the upstream that goes with it. */
class Relay {
  readonly #sockets: readonly Socket[];
  readonly #context: RelayContext;
  readonly #passed: Record<Direction, number> = { toUpstream: 0, toGateway: 0 };
  /** Both sockets are gone. */
  readonly finished: Promise<unknown>;

  constructor(accepted: Socket, opened: Socket, context: RelayContext) {
    this.#sockets = [accepted, opened];
    this.#context = context;
    this.finished = Promise.all(this.#sockets.map(closed));
    void this.#pump('toUpstream', accepted, opened);
    void this.#pump('toGateway', opened, accepted);
  }

  restartCounts(): void {
    this.#passed.toUpstream = 0;
    this.#passed.toGateway = 0;
  }

  reset(): void {
    for (const socket of this.#sockets) {
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  async #pump(direction: Direction, source: Socket, sink: Socket): Promise<void> {
    try {
      for await (const piece of source) {
        await this.#heldBack(direction);
        await this.#pass(direction, piece as Buffer, sink);
      }
      sink.end();
    } catch {
      this.reset();
    }
  }

  async #heldBack(direction: Direction): Promise<void> {
    const { delayMs = 0 } = this.#context.impairment(direction);
    if (delayMs > 0) await pause(delayMs);
    while (this.#context.impairment(direction).stalled === true && this.#open) await this.#context.changed();
  }

  get #open(): boolean {
    return this.#sockets.every((socket) => !socket.destroyed);
  }

  async #pass(direction: Direction, piece: Buffer, sink: Socket): Promise<void> {
    const { lost, trickled, cutAfterBytes, resetAfterBytes } = this.#context.impairment(direction);
    // Whoever has been sent a FIN gets nothing more.
    if (lost === true || sink.writableEnded) return;
    const room = Math.min(cutAfterBytes ?? Infinity, resetAfterBytes ?? Infinity) - this.#passed[direction];
    const passing = piece.subarray(0, Math.max(room, 0));
    this.#passed[direction] += passing.length;
    if (trickled === true) await trickle(sink, passing);
    else await write(sink, passing);
    if (piece.length < room) return;
    this.#context.broken();
    if (resetAfterBytes === undefined) sink.end();
    else this.reset();
  }
}

/** With its last byte taken by the system: a reset must not overtake it. */
async function write(sink: Socket, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  sink.write(bytes, (error) => (error ? reject(error) : resolve()));
  await promise;
}

async function trickle(sink: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at++) {
    await write(sink, bytes.subarray(at, at + 1));
    await turn();
  }
}

async function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('close', () => resolve());
  await promise;
}
