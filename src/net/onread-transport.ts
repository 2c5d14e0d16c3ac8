import { connect, createServer, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { connectOptions } from './connect-options.ts';
import { WRITE_HIGH_WATER_BYTES } from './connection.ts';
import type { IoContext } from './io-context.ts';
import { SocketConnection } from './socket-connection.ts';
import type { Transport } from './transport.ts';

/**
 * Reads by the `onread` option: into buffers that we own, with no allocation per read. For outgoing sockets that is public
 * API. An accepted socket exists before it can be given the option, so its handle is moved into a new one: `_handle` and
 * `_server` are not public, this file alone touches them, and `supported` says whether they still are what we think.
 */
export const onreadTransport: Transport & { supported(): boolean } = {
  name: 'onread',

  supported() {
    return '_handle' in new Socket();
  },

  createServer(accept) {
    return createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, accept);
  },

  adopt(io, socket, receiver) {
    const accepted = socket as SocketInternals;
    const handle = accepted._handle;
    const connection = new SocketConnection(io, receiver);
    const moved = new Socket({
      handle,
      allowHalfOpen: true,
      writableHighWaterMark: WRITE_HIGH_WATER_BYTES,
      onread: readInto(io, connection),
    } as SocketConstructorOpts) as SocketInternals;
    // The server counts its connections by the sockets that close with `_server` set: exactly one of the two may.
    moved._server = accepted._server;
    accepted._server = null;
    accepted._handle = null;
    connection.adopt(moved);
    return connection;
  },

  connect(io, target, receiver) {
    const connection = new SocketConnection(io, receiver);
    connection.adopt(connect({ ...connectOptions(target), onread: readInto(io, connection) }));
    return connection;
  },
};

interface SocketInternals extends Socket {
  _handle: unknown;
  _server: unknown;
}

/** Node asks for a buffer once at the start, and then after every read. */
function readInto(io: IoContext, connection: SocketConnection): OnReadOpts {
  let asked = false;
  return {
    buffer: (() => {
      if (asked) return connection.nextBuffer();
      asked = true;
      return io.buffers.shared;
    }) as () => Uint8Array,
    callback(bytesRead, bytes) {
      // Sound: Node hands back the very buffer that it was given, and we give it Buffers.
      connection.deliver(bytes as Buffer, bytesRead);
      return true;
    },
  };
}
