import { join } from 'node:path';
import { type Gateway, type GatewaySetup, type Peer, startGateway } from './peer.ts';

/** Node's sockets without a gateway: for small GET requests only. */
export const bareSockets: Peer = { name: 'bare-sockets', version: () => `node ${process.version}`, start };

function start(setup: GatewaySetup): Promise<Gateway> {
  if (setup.secure) throw new Error('Cannot use bare-sockets here: it does not speak TLS');
  const entry = join(import.meta.dirname, '../bare-proxy.ts');
  return startGateway(setup, 'bare-sockets', process.execPath, (port) => [
    entry,
    String(port),
    String(setup.originPort),
  ]);
}
