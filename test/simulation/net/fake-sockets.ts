import { EventEmitter } from 'node:events';
import { type Server, Socket, type SocketConstructorOpts } from 'node:net';
import type { Sockets } from '../../../src/net/sockets.ts';
import type { Scheduler } from '../world.ts';
import type { Endpoint } from './endpoint.ts';
import { FakeHandle, type Names } from './fake-handle.ts';
import type { Link } from './link.ts';
import type { LinkNature, Network } from './network.ts';

/** Where a fake socket's bytes are read into is looked at after each read. */
export type AfterRead = (buffer: Buffer, length: number) => void;

export interface FakeSocketsOptions {
  /** The worker's: nothing of it happens after its death. */
  readonly world: Scheduler;
  readonly network: Network;
  /** The worker whose sockets these are. */
  readonly row: number;
  readonly afterRead?: AfterRead;
}

/** Real `net.Socket`s over handles of the simulated network. */
export class FakeSockets implements Sockets {
  readonly #options: FakeSocketsOptions;
  #nextPort = 40_000;
  readonly #handles = new Set<FakeHandle>();
  /** Accepted by the system, and not yet told to anybody. */
  readonly #backlog = new Set<Endpoint>();

  constructor(options: FakeSocketsOptions) {
    this.#options = options;
  }

  connect(options: Parameters<Sockets['connect']>[0]): Socket {
    const { world, network, row } = this.#options;
    const names = this.#names('10.0.0.1', this.#nextPort++, '', 0);
    const dialler = {
      dial: (host: string, port: number, opened: (endpoint: Endpoint | number) => void) =>
        network.dialUpstream(row, `${host}:${port}`, opened),
    };
    const handle = new FakeHandle(world, names, dialler);
    this.#handles.add(handle);
    // Reading begins when it has connected, as of a socket that makes its handle itself.
    const socket = new Socket({ ...options, handle, manualStart: true } as unknown as SocketConstructorOpts);
    return socket.connect(options);
  }

  createServer(options: Parameters<Sockets['createServer']>[0], accept: (socket: Socket) => void): Server {
    const { world, network, row } = this.#options;
    const open = (endpoint: Endpoint, link: Link, server: FakeServer) => {
      this.#backlog.delete(endpoint);
      const names = this.#names('10.0.0.1', 80, addressOf(link), 1024 + link.number);
      const handle = new FakeHandle(world, names, null, endpoint);
      this.#handles.add(handle);
      const socket = new Socket({
        handle,
        allowHalfOpen: options.allowHalfOpen,
        pauseOnCreate: options.pauseOnConnect,
        readable: true,
        writable: true,
        readableHighWaterMark: options.highWaterMark,
        writableHighWaterMark: options.highWaterMark,
      } as unknown as SocketConstructorOpts);
      Object.assign(socket, { server, _server: server });
      server._connections++;
      accept(socket);
    };
    // Sound: what the gateway asks of a server is there.
    return new FakeServer(world, network, `gateway:${row}`, open, this.#backlog) as unknown as Server;
  }

  /** The thread that used them is gone. */
  kill(): void {
    for (const handle of this.#handles) handle.kill();
    for (const endpoint of this.#backlog) endpoint.reset();
    this.#options.network.unlisten(`gateway:${this.#options.row}`);
  }

  #names(localAddress: string, localPort: number, remoteAddress: string, remotePort: number): Names {
    const { afterRead } = this.#options;
    return { localAddress, localPort, remoteAddress, remotePort, ...(afterRead === undefined ? {} : { afterRead }) };
  }
}

/** Clients have different addresses, the same ones in each run. */
function addressOf({ peer }: Link): string {
  const number = Number.parseInt(peer.replace(/\D/g, ''), 10) || 0;
  return `10.1.${(number >> 8) & 255}.${number & 255}`;
}

type Open = (endpoint: Endpoint, link: Link, server: FakeServer) => void;

/** What a `net.Server` is to the gateway. */
class FakeServer extends EventEmitter {
  readonly #world: Scheduler;
  readonly #network: Network;
  readonly #address: string;
  readonly #open: Open;
  readonly #backlog: Set<Endpoint>;
  listening = false;
  _connections = 0;

  constructor(world: Scheduler, network: Network, address: string, open: Open, backlog: Set<Endpoint>) {
    super();
    this.#world = world;
    this.#network = network;
    this.#address = address;
    this.#open = open;
    this.#backlog = backlog;
  }

  listen(...args: unknown[]): this {
    const told = args.at(-1);
    if (typeof told === 'function') this.once('listening', told as () => void);
    this.#network.listen(this.#address, {
      admission: () => (this.listening ? 'accept' : 'refuse'),
      nature: () => ORDINARY_LINK,
      // Node is told of a connection in an event of its own.
      accept: (endpoint, link) => {
        this.#backlog.add(endpoint);
        this.#world.after(0, 'accept', () => {
          if (this.listening) this.#open(endpoint, link, this);
          else endpoint.reset();
        });
      },
    });
    this.#world.after(0, 'listening', () => {
      this.listening = true;
      this.emit('listening');
    });
    return this;
  }

  address(): { address: string; port: number; family: string } {
    return { address: '10.0.0.1', port: 80, family: 'IPv4' };
  }

  close(told?: () => void): this {
    if (told !== undefined) this.once('close', told);
    if (!this.listening) return this;
    this.listening = false;
    this.#network.unlisten(this.#address);
    this.#world.after(0, 'unlistened', () => this.emit('close'));
    return this;
  }

  _emitCloseIfDrained(): void {}
}

const ORDINARY = { capacityBytes: 65_536, latencyMs: 0, segmentBytes: 65_536 };
const ORDINARY_LINK: LinkNature = { toGateway: ORDINARY, fromGateway: ORDINARY, dialMs: 0, seed: 1 };
