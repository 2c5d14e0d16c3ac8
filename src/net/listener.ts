import type { AddressInfo, Server, Socket } from 'node:net';
import type { ListenSource, OpenAddress } from './binding.ts';
import type { Transport } from './transport.ts';

/** A connection that was accepted and not yet given to a transport. */
export type AcceptedSocket = Socket;

/** An open listener of one worker. */
export class Listener {
  readonly address: OpenAddress;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    this.address = addressOf(server);
  }

  /** `report` hears when accepting fails, as it does when the process has no descriptors left. */
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
  source: ListenSource,
  accept: (socket: AcceptedSocket) => void,
): Promise<Listener> {
  const server = transport.createServer(accept);
  const { promise, resolve, reject } = Promise.withResolvers<Listener>();
  server.once('error', reject);
  server.listen(source, () => {
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
