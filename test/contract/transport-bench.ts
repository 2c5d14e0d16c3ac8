import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { monotonicClock } from '../../src/base/clock.ts';
import type { ByteReceiver, Connection, ConnectTarget } from '../../src/net/connection.ts';
import { IoContext } from '../../src/net/io-context.ts';
import { type Sockets, systemSockets } from '../../src/net/sockets.ts';
import { TlsServer } from '../../src/net/tls-server.ts';
import type { Transport } from '../../src/net/transport.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually } from '../support/guard.ts';
import { Peer } from '../support/peer.ts';

/** Who opened the connection: the other side, without TLS (`incoming`) or with it (`secure`), or the transport (`outgoing`). */
export type Direction = 'incoming' | 'secure' | 'outgoing';

/** Writes down what it hears, with what came as text, and does what the test wants meanwhile. */
export class Recorder implements ByteReceiver {
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  inBody = false;
  /** What it answers when writing has failed. */
  hearsOut = false;
  closings = 0;
  /** Called with every event, after it was written down. */
  meanwhile: (event: string) => void = () => {};
  /** Called instead of keeping the bytes. */
  onBytes: ((bytes: Buffer, start: number, end: number) => void) | null = null;

  connected(): void {
    this.#heard('connected');
  }

  received(bytes: Buffer, start: number, end: number): void {
    if (this.onBytes !== null) this.onBytes(bytes, start, end);
    else this.chunks.push(Buffer.from(bytes.subarray(start, end)));
    this.#heard('received');
  }

  ended(): void {
    this.#heard('ended');
  }

  writingFailed(): boolean {
    this.#heard('writingFailed');
    return this.hearsOut;
  }

  writable(): void {
    this.#heard('writable');
  }

  closed(failure: string | null): void {
    this.closings++;
    this.#heard(`closed ${failure ?? 'orderly'}`);
  }

  /** Everything that came, as latin1 text. */
  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  /** The events, with neighbours of one kind told once, and without `writable`: how bytes are cut and taken is nobody's business. */
  get story(): readonly string[] {
    return this.events.filter((event) => event !== 'writable').filter((event, at, all) => event !== all[at - 1]);
  }

  async until(event: string): Promise<void> {
    await eventually(
      `"${event}"`,
      () => this.events.includes(event),
      () => this.story.join(', '),
    );
  }

  async untilClosed(): Promise<void> {
    await eventually(
      'the connection to be closed',
      () => this.closings > 0,
      () => this.story.join(', '),
    );
  }

  async untilText(text: string): Promise<void> {
    await eventually(
      JSON.stringify(text),
      () => this.text.length >= text.length,
      () => this.text,
    );
    assert.equal(this.text, text);
  }

  #heard(event: string): void {
    assert.ok(this.closings <= (event.startsWith('closed') ? 1 : 0), `"${event}" after "closed"`);
    this.events.push(event);
    this.meanwhile(event);
  }
}

/** A connection of the transport, who hears what happens on it, and the other end in the hands of the test. */
export interface Opened {
  readonly ours: Connection;
  readonly heard: Recorder;
  readonly peer: Peer;
}

/** Tells when the handshake begun last is over on the server's side, which with TLS 1.3 is after the client's. */
class WatchedTlsServer extends TlsServer {
  handshake: Promise<unknown> = Promise.resolve();

  override accept(socket: Socket): TLSSocket {
    const secure = super.accept(socket);
    this.handshake = once(secure, 'secure');
    return secure;
  }
}

/** A transport with a server of its own, and a plain server that it can connect to. */
export class TransportBench {
  readonly transport: Transport;
  readonly faults: unknown[] = [];
  /** Events are gathered whether it is worth it or not: what is written may leave later than the event in which it was said. */
  readonly io = new IoContext(monotonicClock, (error) => this.faults.push(error), { eventsAlone: 0 });
  readonly server: Server;
  /** The other side’s. */
  readonly sockets: Sockets;
  readonly #plainServer: Server;
  readonly #opened: Opened[] = [];
  readonly #tls = new WatchedTlsServer({
    certificates: [{ hosts: [], ...testCertificate('localhost') }],
    ticketKeys: randomBytes(48),
    clientCertificates: null,
  });
  #prepare: (() => Recorder) | null = null;
  #direction: Direction = 'incoming';
  /** Everything that the server accepted. */
  readonly accepted: { readonly ours: Connection; readonly heard: Recorder }[] = [];

  constructor(transport: Transport, sockets: Sockets) {
    this.transport = transport;
    this.sockets = sockets;
    this.#plainServer = sockets.createServer({ allowHalfOpen: true }, () => {});
    this.server = transport.createServer((socket) => {
      const heard = this.#prepare?.() ?? new Recorder();
      const tls = this.#direction === 'secure' ? this.#tls : null;
      this.accepted.push({ ours: transport.adopt(this.io, socket, heard, tls), heard });
    });
  }

  /** Runs `script` with a bench, and lets go of everything afterwards. Faults that the script leaves are failures. */
  static async run(
    transport: Transport,
    script: (bench: TransportBench) => Promise<void>,
    sockets: Sockets = systemSockets,
  ): Promise<void> {
    const bench = new TransportBench(transport, sockets);
    try {
      for (const server of [bench.server, bench.#plainServer]) {
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
      }
      await script(bench);
      assert.deepEqual(bench.faults, []);
    } finally {
      for (const { ours } of bench.accepted) ours.destroy();
      for (const { ours, peer } of bench.#opened) {
        ours.destroy();
        await peer.dispose();
      }
      await bench.closeServers();
    }
    const { buffers } = bench.io;
    await eventually(
      'all buffers to be given back',
      () => buffers.leased === 0,
      () => `${buffers.leased} are out`,
    );
  }

  async closeServers(): Promise<void> {
    for (const server of [this.server, this.#plainServer]) {
      if (!server.listening) continue;
      const closed = once(server, 'close');
      server.close();
      await closed;
    }
  }

  get port(): number {
    return portOf(this.server);
  }

  /** A new connection; an outgoing one to `target`. `prepare` makes the receiver, before anything can be heard. */
  async open(
    direction: Direction,
    prepare: () => Recorder = () => new Recorder(),
    target: ConnectTarget | null = null,
  ): Promise<Opened> {
    const outgoing = direction === 'outgoing';
    const opened = outgoing
      ? await this.#outgoing(prepare, target ?? this.plainTarget())
      : await this.#incoming(prepare, direction);
    this.#opened.push(opened);
    return opened;
  }

  async #incoming(prepare: () => Recorder, direction: Direction): Promise<Opened> {
    const before = this.accepted.length;
    this.#prepare = prepare;
    this.#direction = direction;
    const to = { port: this.port, host: '127.0.0.1', allowHalfOpen: true };
    const carrier = this.sockets.connect(to);
    const socket = direction === 'secure' ? connectTls({ socket: carrier, rejectUnauthorized: false }) : carrier;
    const peer = new Peer(socket, 'the peer', carrier);
    const connected = direction === 'secure' ? once(socket, 'secureConnect') : null;
    await eventually(
      'the connection to be accepted',
      () => this.accepted.length > before,
      () => '',
    );
    if (connected !== null) await Promise.all([connected, this.#tls.handshake]);
    // Sound: one more has just been accepted.
    const { ours, heard } = this.accepted[before] as TransportBench['accepted'][number];
    return { ours, heard, peer };
  }

  async #outgoing(prepare: () => Recorder, target: ConnectTarget): Promise<Opened> {
    const arrival = once(this.#plainServer, 'connection');
    const heard = prepare();
    const ours = this.transport.connect(this.io, target, heard);
    const [socket] = (await arrival) as [Socket];
    const peer = new Peer(socket, 'the peer');
    if (heard.closings === 0) await heard.until('connected');
    return { ours, heard, peer };
  }

  plainTarget(): ConnectTarget {
    return tcpTarget(portOf(this.#plainServer));
  }
}

export function tcpTarget(port: number): ConnectTarget {
  return {
    host: '127.0.0.1',
    alternative: null,
    port,
    path: null,
    keepAlive: { enabled: true, idleMs: 60_000 },
    tls: null,
  };
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
