import { isIPv6, type LookupFunction, type TcpSocketConnectOpts } from 'node:net';
import { type ConnectTarget, WRITE_HIGH_WATER_BYTES } from './connection.ts';
import type { ConnectOptions } from './sockets.ts';

/** How long the first of two addresses has to accept before the second is tried too (RFC 8305 5 recommends this). */
const SECOND_TRY_AFTER_MS = 250;

/** The options of `net.connect` for a target. Nagle's algorithm is off: writes go out at once. */
export function connectOptions(target: ConnectTarget): ConnectOptions {
  const common = { allowHalfOpen: true, writableHighWaterMark: WRITE_HIGH_WATER_BYTES };
  if (target.path !== null) return { ...common, path: target.path };
  return {
    ...common,
    ...(target.alternative === null ? { host: target.host } : eitherOf(target.host, target.alternative)),
    port: target.port,
    noDelay: true,
    keepAlive: target.keepAlive.enabled,
    keepAliveInitialDelay: target.keepAlive.idleMs,
  };
}

/** Node tries several addresses only if a look-up returns them: this look-up returns the known ones. */
function eitherOf(first: string, second: string): Partial<TcpSocketConnectOpts> {
  const addresses = [first, second].map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  const lookup: LookupFunction = (_name, _options, found) => found(null, addresses);
  return { host: 'upstream', lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: SECOND_TRY_AFTER_MS };
}
