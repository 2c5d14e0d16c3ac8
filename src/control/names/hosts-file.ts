import { isIpAddress } from '../../base/address.ts';
import { type NameAddresses, toNameAddresses } from './name-addresses.ts';

/** What a hosts file says, by name in lower case. */
export type HostsFile = ReadonlyMap<string, NameAddresses>;

/**
 * Reads a hosts file: an address and its names on each line, the rest after `#` is a comment. All lines of a name count. Lines that
 * begin with something else are passed over, as the system does.
 */
export function parseHostsFile(text: string): HostsFile {
  const byName = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] as string).trim().split(/\s+/);
    if (!isIpAddress(address)) continue;
    for (const name of names) addTo(byName, name.toLowerCase(), address);
  }
  return new Map([...byName].map(([name, addresses]) => [name, toNameAddresses(addresses)]));
}

function addTo(byName: Map<string, string[]>, name: string, address: string): void {
  const addresses = byName.get(name);
  if (addresses === undefined) byName.set(name, [address]);
  else addresses.push(address);
}
