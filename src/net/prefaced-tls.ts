import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connectOptions } from './connect-options.ts';
import type { ByteReceiver, ConnectTarget } from './connection.ts';
import type { IoContext } from './io-context.ts';
import { SocketConnection } from './socket-connection.ts';
import { HeldWrites, StreamDriver } from './stream-driver.ts';
import type { TlsClient } from './tls-client.ts';

/** Where TLS is to go out behind something else. */
export interface PrefacedTls {
  readonly target: ConnectTarget;
  readonly tls: TlsClient;
  /** What goes before it, latin1. */
  readonly preface: string;
}

/**
 * Connects without TLS, sends the preface, and begins with TLS behind it. A socket of TLS that connects by itself has no place for
 * such bytes, and one can only be put around another when that has an address: of a name it may have to try several.
 *
 * `begun` gives the transport's own driver to the secure socket, with what was written in the meantime.
 */
export function connectPrefacedTls(
  io: IoContext,
  { target, tls, preface }: PrefacedTls,
  receiver: ByteReceiver,
  begun: (io: IoContext, connection: SocketConnection, secure: TLSSocket, held: HeldWrites) => void,
): SocketConnection {
  const connection = new SocketConnection(io, receiver);
  const carrier = connect(connectOptions(target));
  const held = new HeldWrites();
  carrier.write(preface, 'latin1');
  connection.adoptCarrier(carrier, new StreamDriver(carrier, connection, io.buffers, held));
  carrier.once('connect', () => begun(io, connection, tls.wrap(carrier), held));
  return connection;
}
