import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connectOptions } from './connect-options.ts';
import type { ByteReceiver, ConnectTarget } from './connection.ts';
import type { IoContext } from './io-context.ts';
import { SocketConnection } from './socket-connection.ts';
import { HeldWrites, StreamDriver } from './stream-driver.ts';
import type { TlsClient } from './tls-client.ts';

/** A connection on which TLS begins after a preface. */
export interface PrefacedTls {
  readonly target: ConnectTarget;
  readonly tls: TlsClient;
  /** The bytes before TLS, latin1. */
  readonly preface: string;
}

/**
 * Connects without TLS, sends the preface, and begins with TLS after it. A TLS socket that connects by itself has no place for such bytes,
 * and a TLS socket can wrap another one only when that has connected: of two addresses it may have to try both.
 *
 * `begun` gives the transport's own driver to the secure socket, with the writes of the meantime.
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
