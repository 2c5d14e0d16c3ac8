import ipaddr from 'ipaddr.js';

/** The two ends of a connection, as a PROXY header tells of them: the client's, and the one that the client came to. */
export interface Endpoints {
  /** An IP address in its usual form, IPv4-mapped IPv6 as IPv4; `unix:` for a Unix socket. */
  readonly sourceAddress: string;
  /** 0 on a Unix socket. */
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

/** A PROXY header that is complete. */
export interface ProxyHeader {
  /** Bytes of the header: what follows them is the client's. */
  readonly length: number;
  /** Null: the header does not tell, and the connection's own ends count (LOCAL, UNKNOWN, UNSPEC). */
  readonly endpoints: Endpoints | null;
}

/** What stands for an end that is a Unix socket. */
export const UNIX_ADDRESS = 'unix:';

/** The address in a text, without the zone of a link-local one; null for anything else. */
export function parseIp(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const address = text.split('%', 1)[0] as string;
  return ipaddr.isValid(address) ? ipaddr.parse(address) : null;
}

/** The usual form of an address of 4 or 16 bytes: the one that addresses of sockets have. */
export function formatIp(bytes: Uint8Array): string {
  const address = ipaddr.fromByteArray([...bytes]);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()
    ? address.toIPv4Address().toString()
    : address.toString();
}
