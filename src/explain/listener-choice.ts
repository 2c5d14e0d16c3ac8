import type { ServerConfig } from '../config/config.ts';
import type { ListenAddress } from '../config/option-types.ts';
import type { Inquiry } from './inquiry.ts';

/** The listener that a request arrives at. */
export interface ListenerChoice {
  /** As written in the configuration. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** Our end of the connection. */
  readonly localAddress: string;
  readonly localPort: number;
  /** What is odd about the choice; null where it is certain. */
  readonly note: string | null;
}

/**
 * The listener for the scheme and the port of a request; null when none speaks the scheme. A port that no listener has is no
 * mistake: a load balancer or a container may stand in front, and its port lead to any of them. Then it is the first.
 */
export function chooseListener(server: ServerConfig, inquiry: Inquiry): ListenerChoice | null {
  const scheme = inquiry.scheme ?? (server.httpAddr.length > 0 ? 'http' : 'https');
  const listeners = scheme === 'http' ? server.httpAddr : server.httpsAddr;
  const byPort = listeners.find(({ path, port }) => path === null && port === inquiry.port);
  const found = byPort ?? listeners.find(({ port }) => port === 0) ?? listeners[0];
  if (found === undefined) return null;
  const isOther = inquiry.port !== null && byPort === undefined && found.port !== 0;
  const note = isOther ? `no listener has port ${inquiry.port}: taken as if it led here` : null;
  return { address: found.text, scheme, ...localEnd(found, inquiry), note };
}

function localEnd({ path, host, port }: ListenAddress, inquiry: Inquiry) {
  if (path !== null) return { localAddress: 'unix:', localPort: 0 };
  // Port 0 is settled by the system when the listener opens; what the client connects to is it.
  return { localAddress: host, localPort: port === 0 ? (inquiry.port ?? 0) : port };
}
