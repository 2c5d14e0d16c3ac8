import { onreadTransport } from './onread-transport.ts';
import { plainTransport } from './plain-transport.ts';
import type { Transport } from './transport.ts';

/**
 * The transport to use: the one that `forced` names (`PHOTON_TRANSPORT`), else the fast one where this Node has what it needs.
 * Throws when `forced` is not a transport's name.
 */
export function chooseTransport(forced: string | undefined): Transport {
  if (forced === 'plain') return plainTransport;
  if (forced === 'onread') return onreadTransport;
  if (forced !== undefined && forced !== '') {
    throw new Error(`Cannot choose a transport: want PHOTON_TRANSPORT to be onread or plain, got "${forced}"`);
  }
  return onreadTransport.supported() ? onreadTransport : plainTransport;
}
