import type { Server, Socket } from 'node:net';
import type { ByteReceiver, Connection, ConnectTarget } from './connection.ts';
import type { IoContext } from './io-context.ts';
import type { TlsServer } from './tls-server.ts';

/** A way to read and write sockets. All transports do the same, and pass the same contract suite. */
export interface Transport {
  readonly name: 'onread' | 'plain';
  /** A server that hands every accepted socket, not yet read from, to `accept`. */
  createServer(accept: (socket: Socket) => void): Server;
  /**
   * Makes a connection of a socket that a server of this transport accepted; with `tls`, of the decrypted bytes. Bytes
   * that were put back into the socket (`unshift`) come first.
   */
  adopt(io: IoContext, socket: Socket, receiver: ByteReceiver, tls: TlsServer | null): Connection;
  /**
   * Begins to connect; `receiver` gets `connected` or `closed`. Bytes that are written meanwhile are sent then. `preface` (latin1) goes
   * out before anything else, TLS included.
   */
  connect(io: IoContext, target: ConnectTarget, receiver: ByteReceiver, preface?: string): Connection;
}
