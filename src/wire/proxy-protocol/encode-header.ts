import type { Endpoints } from './header.ts';
import { encodeVersion1, UNKNOWN_VERSION_1 } from './version-1.ts';
import { encodeVersion2, LOCAL_VERSION_2 } from './version-2.ts';

export type ProxyVersion = 'v1' | 'v2';

/** Writes a PROXY header as latin1 text, one byte a character. Ends that are no IP addresses are told as unknown. */
export function encodeProxyHeader(version: ProxyVersion, endpoints: Endpoints): string {
  return version === 'v1' ? encodeVersion1(endpoints) : encodeVersion2(endpoints);
}

/** The header of a connection that is our own and nobody's behind us, such as a health check (sections 2.1 and 2.2). */
export function encodeLocalProxyHeader(version: ProxyVersion): string {
  return version === 'v1' ? UNKNOWN_VERSION_1 : LOCAL_VERSION_2;
}
