import {
  connect,
  createServer,
  type IpcSocketConnectOpts,
  type Server,
  type ServerOpts,
  type Socket,
  type SocketConstructorOpts,
  type TcpSocketConnectOpts,
} from 'node:net';

export type ConnectOptions = SocketConstructorOpts & (TcpSocketConnectOpts | IpcSocketConnectOpts);

/** Where a transport gets its sockets from. A simulation puts a network of its own in the place of the system's. */
export interface Sockets {
  connect(options: ConnectOptions): Socket;
  createServer(options: ServerOpts, accept: (socket: Socket) => void): Server;
}

export const systemSockets: Sockets = { connect, createServer };
