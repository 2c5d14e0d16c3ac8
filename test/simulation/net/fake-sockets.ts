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
  /** Our own address; and what a listener there is called in the network, by its port. */
  readonly host?: string;
  readonly nameOf?: (port: number) => string;
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
    const { world, network, row, host: localHost = GATEWAY_HOST } = this.#options;
    const names = this.#names(localHost, this.#nextPort++, '', 0);
    const dialler = {
      dial: (host: string, port: number, opened: (endpoint: Endpoint | number) => void) => {
        const dialling = network.dialUpstream(row, `${host}:${port}`, opened);
        dialling.link.dialler = { address: names.localAddress, port: names.localPort };
        return dialling;
      },
    };
    const handle = new FakeHandle(world, names, dialler);
    this.#handles.add(handle);
    // Reading begins when it has connected, as of a socket that makes its handle itself.
    const socket = new Socket({ ...options, handle, manualStart: true } as unknown as SocketConstructorOpts);
    noteHeard(socket, handle);
    return socket.connect(options);
  }

  createServer(options: Parameters<Sockets['createServer']>[0], accept: (socket: Socket) => void): Server {
    const { world, network, row, host = GATEWAY_HOST, nameOf = () => `gateway:${row}` } = this.#options;
    const open = (endpoint: Endpoint, link: Link, server: FakeServer) => {
      this.#backlog.delete(endpoint);
      const { address, port } = link.dialler ?? { address: addressOf(link), port: 1024 + link.number };
      const names = this.#names(host, server.port, address, port);
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
      noteHeard(socket, handle);
      Object.assign(socket, { server, _server: server });
      server._connections++;
      server.emit('connection', socket);
    };
    // Sound: what the gateway asks of a server is there.
    const server = new FakeServer({ world, network, host, nameOf, open, backlog: this.#backlog });
    return server.on('connection', accept) as unknown as Server;
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

/** A stream that nobody gave a buffer reads on while it is paused: its bytes are heard when it gives them on. */
function noteHeard(socket: Socket, handle: FakeHandle): void {
  const { emit } = socket;
  socket.emit = (event: string, ...args: unknown[]) => {
    if (event === 'data') handle.heard((args[0] as Buffer).length);
    return emit.call(socket, event, ...args);
  };
}

/** Clients have different addresses, the same ones in each run. */
function addressOf({ peer }: Link): string {
  const number = Number.parseInt(peer.replace(/\D/g, ''), 10) || 0;
  return `10.1.${(number >> 8) & 255}.${number & 255}`;
}

/** What a server is made with. */
interface FakeServerOptions {
  readonly world: Scheduler;
  readonly network: Network;
  readonly host: string;
  readonly nameOf: (port: number) => string;
  readonly open: (endpoint: Endpoint, link: Link, server: FakeServer) => void;
  readonly backlog: Set<Endpoint>;
}

const GATEWAY_HOST = '10.0.0.1';
let nextPort = 50_000;

/** What a `net.Server` is to the gateway. */
class FakeServer extends EventEmitter {
  readonly #options: FakeServerOptions;
  #closing = false;
  listening = false;
  port = 0;
  _connections = 0;

  constructor(options: FakeServerOptions) {
    super();
    this.#options = options;
  }

  /** As that of Node, with a port or options first. */
  listen(...args: unknown[]): this {
    const { world, network, nameOf, open, backlog } = this.#options;
    const [first] = args;
    const asked = typeof first === 'object' ? (first as { port: number }).port : Number(first);
    this.port = asked === 0 ? nextPort++ : asked;
    const told = args.at(-1);
    if (typeof told === 'function') this.once('listening', told as () => void);
    network.listen(nameOf(this.port), {
      admission: () => (this.listening ? 'accept' : 'refuse'),
      nature: () => ORDINARY_LINK,
      // Node is told of a connection in an event of its own.
      accept: (endpoint, link) => {
        backlog.add(endpoint);
        world.after(0, 'accept', () => {
          if (this.listening) open(endpoint, link, this);
          else endpoint.reset();
        });
      },
    });
    world.after(0, 'listening', () => {
      this.listening = true;
      this.emit('listening');
    });
    return this;
  }

  address(): { address: string; port: number; family: string } {
    return { address: this.#options.host, port: this.port, family: 'IPv4' };
  }

  close(told?: () => void): this {
    if (told !== undefined) this.once('close', told);
    if (!this.listening) return this;
    this.listening = false;
    this.#closing = true;
    this.#options.network.unlisten(this.#options.nameOf(this.port));
    this._emitCloseIfDrained();
    return this;
  }

  /** Called by Node too, whenever a connection is gone. */
  _emitCloseIfDrained(): void {
    if (!this.#closing || this._connections > 0) return;
    this.#closing = false;
    this.#options.world.after(0, 'unlistened', () => this.emit('close'));
  }
}

const ORDINARY = { capacityBytes: 65_536, latencyMs: 0, segmentBytes: 65_536, keepsOnReset: true };
const ORDINARY_LINK: LinkNature = { toGateway: ORDINARY, fromGateway: ORDINARY, dialMs: 0, seed: 1 };
