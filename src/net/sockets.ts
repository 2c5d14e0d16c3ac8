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

/** The source of a transport's sockets. A simulation replaces it with a network of its own. */
export interface Sockets {
  connect(options: ConnectOptions): Socket;
  createServer(options: ServerOpts, accept: (socket: Socket) => void): Server;
}

export const systemSockets: Sockets = { connect, createServer };
