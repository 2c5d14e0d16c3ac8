import { onreadTransport } from './onread-transport.ts';
import { plainTransport } from './plain-transport.ts';
import { streamHandlesSupported } from './stream-handle.ts';
import type { Transport } from './transport.ts';

/**
 * The transport to use: the one that `forced` names (`PHOTON_TRANSPORT`), else the fast one if this Node supports it.
 * Throws when `forced` is not a transport's name, or names a transport that this Node does not support.
 */
export function chooseTransport(forced: string | undefined): Transport {
  if (forced === 'plain') return plainTransport;
  if (forced === 'onread') {
    if (!streamHandlesSupported)
      throw new Error(`Cannot use the onread transport: Node ${process.version} is not made for it`);
    return onreadTransport;
  }
  if (forced !== undefined && forced !== '') {
    throw new Error(`Cannot choose a transport: want PHOTON_TRANSPORT to be onread or plain, got "${forced}"`);
  }
  return streamHandlesSupported ? onreadTransport : plainTransport;
}
