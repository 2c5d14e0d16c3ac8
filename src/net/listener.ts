import type net from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { bindApart, type ListenSource, type OpenAddress } from './binding.ts';
import type { Transport } from './transport.ts';

/** A connection that was accepted and not yet given to a transport. */
export type AcceptedSocket = Socket;

/**
 * An address for a listener that opens later: bound, so that anything that would keep it from listening is known by then. If this Node
 * cannot bind without listening, it is bound when it opens.
 */
export class ReservedAddress {
  readonly #source: ListenSource;
  #socket: net.BoundSocket | null;

  /** Throws a BindError. */
  constructor(source: ListenSource) {
    this.#source = source;
    this.#socket = bindApart(source);
  }

  /** The socket or the source that a server listens on. The server owns the address from then on. */
  take(): net.BoundSocket | ListenSource {
    const socket = this.#socket;
    this.#socket = null;
    return socket ?? this.#source;
  }

  /** Releases the address, unless it was taken. */
  release(): void {
    this.#socket?.close();
    this.#socket = null;
  }
}

/** An open listener of one worker. */
export class Listener {
  readonly address: OpenAddress;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    this.address = addressOf(server);
  }

  /** `report` is called when accepting fails, for instance because the process has no descriptors left. */
  onFailure(report: (error: Error) => void): void {
    this.#server.on('error', report);
  }

  /** Accepts nothing more; connections that are open stay. Harmless when closed already. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }
}

/** Opens a listener whose connections go to `accept`. Rejects with the system's error when that cannot be done. */
export function openListener(
  transport: Transport,
  on: net.BoundSocket | ListenSource,
  accept: (socket: AcceptedSocket) => void,
): Promise<Listener> {
  const server = transport.createServer(accept);
  const { promise, resolve, reject } = Promise.withResolvers<Listener>();
  server.once('error', reject);
  server.listen(on, () => {
    server.removeListener('error', reject);
    resolve(new Listener(server));
  });
  return promise;
}

function addressOf(server: Server): OpenAddress {
  // Sound: a listening server of TCP or a Unix socket has one of these.
  const address = server.address() as AddressInfo | string;
  if (typeof address === 'string') return { host: '', port: 0, path: address };
  return { host: address.address, port: address.port, path: null };
}
