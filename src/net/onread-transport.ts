import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connectOptions } from './connect-options.ts';
import { type ByteReceiver, WRITE_HIGH_WATER_BYTES } from './connection.ts';
import { reportFailedWrites } from './failed-writes.ts';
import { HandleDriver } from './handle-driver.ts';
import type { IoContext } from './io-context.ts';
import { connectPrefacedTls } from './prefaced-tls.ts';
import { SecureDriver } from './secure-driver.ts';
import { SocketConnection } from './socket-connection.ts';
import { type Sockets, systemSockets } from './sockets.ts';
import { HeldWrites } from './stream-driver.ts';
import { bytesRead, handleOf, type OnRead, type StreamHandle } from './stream-handle.ts';
import type { Transport } from './transport.ts';

/**
 * Reads into buffers that we own and writes straight to the handle, with no allocation for either. The buffer is given by the public
 * `onread` option; moving, reading and writing handles without the socket in between is not public API (`stream-handle.ts`), and
 * `chooseTransport` falls back if a Node differs.
 */
export const createOnreadTransport = (sockets: Sockets): Transport => ({
  name: 'onread',

  createServer(accept) {
    return sockets.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, accept);
  },

  adopt(io, socket, receiver, tls) {
    if (tls !== null) return adoptSecure(io, tls.accept(socket), receiver, socket);
    const accepted = socket as SocketInternals;
    const early: Buffer | null = accepted.readableLength === 0 ? null : accepted.read();
    const handle = accepted._handle;
    const moved = new Socket({
      handle,
      allowHalfOpen: true,
      writableHighWaterMark: WRITE_HIGH_WATER_BYTES,
      onread: readInto(io),
    } as SocketConstructorOpts) as SocketInternals;
    // The server counts its connections by the sockets that close with `_server` set: exactly one of the two may.
    moved._server = accepted._server;
    accepted._server = null;
    accepted._handle = null;
    const connection = serve(io, moved, receiver);
    listenToReads(moved, connection);
    // The caller has to get the connection first, and the next read comes later than this.
    if (early !== null) process.nextTick(deliverEarly, connection, early);
    return connection;
  },

  connect(io, target, receiver, preface = '') {
    const { tls } = target;
    if (tls !== null && preface !== '') {
      return connectPrefacedTls(io, { target, tls, preface }, receiver, secureCarrier);
    }
    if (tls !== null) return connectSecure(io, tls.connect(connectOptions(target)), receiver);
    const socket = sockets.connect({ ...connectOptions(target), onread: readInto(io) });
    const connection = serve(io, socket, receiver);
    // Each address that is tried has a handle of its own. Reading begins after this event.
    socket.prependOnceListener('connect', () => listenToReads(socket, connection));
    if (preface !== '') connection.writeText(preface);
    return connection;
  },
});

export const onreadTransport: Transport = createOnreadTransport(systemSockets);

interface SocketInternals extends Socket {
  _handle: unknown;
  _server: unknown;
}

/** The accepted socket stays where it is: TLS reads from its handle, and we from that of TLS. */
function adoptSecure(io: IoContext, secure: TLSSocket, receiver: ByteReceiver, carrier: Socket): SocketConnection {
  const connection = new SocketConnection(io, receiver);
  connection.adopt(secure, new SecureDriver(secure, connection, io.buffers, null), carrier);
  readDecrypted(io, connection, secure);
  return connection;
}

/** TLS reads from the handle below it, which is settled when the system has connected; before the handshake nothing comes. */
function connectSecure(io: IoContext, secure: TLSSocket, receiver: ByteReceiver): SocketConnection {
  const connection = new SocketConnection(io, receiver);
  connection.adopt(secure, new SecureDriver(secure, connection, io.buffers, new HeldWrites()), secure);
  reportFailedWrites(secure, connection);
  secure.prependOnceListener('connect', () => readDecrypted(io, connection, secure));
  return connection;
}

function secureCarrier(io: IoContext, connection: SocketConnection, secure: TLSSocket, held: HeldWrites): void {
  connection.secure(secure, new SecureDriver(secure, connection, io.buffers, held));
  readDecrypted(io, connection, secure);
}

function readDecrypted(io: IoContext, connection: SocketConnection, secure: TLSSocket): void {
  handleOf(secure)?.useUserBuffer(io.buffers.shared);
  listenToReads(secure, connection);
}

function deliverEarly(connection: SocketConnection, bytes: Buffer): void {
  if (connection.alive) connection.deliver(bytes, bytes.length);
}

function serve(io: IoContext, socket: Socket, receiver: ByteReceiver): SocketConnection {
  const connection = new SocketConnection(io, receiver);
  connection.adopt(socket, new HandleDriver(socket, connection, io.buffers), socket);
  return connection;
}

/** Every connection begins with the shared buffer. The callback is for a read before `listenToReads`, of which there is none. */
function readInto(io: IoContext): OnReadOpts {
  return { buffer: io.buffers.shared, callback: () => true };
}

/** A handle that knows its connection, so that one function serves all of them. */
interface ConnectionHandle extends StreamHandle {
  photonConnection: SocketConnection;
}

/** Node's own callback after a read, which handles the end and errors. */
let onreadOfNode: OnRead | null = null;

function listenToReads(socket: Socket, connection: SocketConnection): void {
  const handle = handleOf(socket) as ConnectionHandle | null;
  if (handle === null) return;
  onreadOfNode ??= handle.onread;
  handle.photonConnection = connection;
  handle.onread = onHandleRead;
}

function onHandleRead(this: StreamHandle, arrayBuffer: ArrayBuffer | undefined): Uint8Array | undefined {
  const length = bytesRead();
  if (length <= 0) return (onreadOfNode as OnRead).call(this, arrayBuffer);
  const { photonConnection } = this as ConnectionHandle;
  photonConnection.deliverRead(length);
  return photonConnection.nextBuffer();
}
