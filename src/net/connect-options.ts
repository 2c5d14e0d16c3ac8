import type { IpcSocketConnectOpts, SocketConstructorOpts, TcpSocketConnectOpts } from 'node:net';
import { type ConnectTarget, WRITE_HIGH_WATER_BYTES } from './connection.ts';

/** What `net.connect` wants for a target. Nagle's algorithm is off: what we write is meant to go out now. */
export function connectOptions(
  target: ConnectTarget,
): SocketConstructorOpts & (TcpSocketConnectOpts | IpcSocketConnectOpts) {
  const common = { allowHalfOpen: true, writableHighWaterMark: WRITE_HIGH_WATER_BYTES };
  if (target.path !== null) return { ...common, path: target.path };
  return {
    ...common,
    host: target.host,
    port: target.port,
    noDelay: true,
    keepAlive: target.keepAlive.enabled,
    keepAliveInitialDelay: target.keepAlive.idleMs,
  };
}
