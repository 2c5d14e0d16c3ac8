import type { Endpoints } from './header.ts';
import { encodeVersion1 } from './version-1.ts';
import { encodeVersion2 } from './version-2.ts';

export type ProxyVersion = 'v1' | 'v2';

/** Writes a PROXY header as latin1 text, one byte a character. Ends that are no IP addresses are told as unknown. */
export function encodeProxyHeader(version: ProxyVersion, endpoints: Endpoints): string {
  return version === 'v1' ? encodeVersion1(endpoints) : encodeVersion2(endpoints);
}
