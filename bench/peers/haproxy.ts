import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificate } from '../certificate.ts';
import { askVersion, type Gateway, type GatewaySetup, type Peer, startGateway } from './peer.ts';

/** One thread, connections to the origin shared between clients, the usual forwarding fields, no log. */
export const haproxy: Peer = { name: 'haproxy', version: () => askVersion('haproxy'), start };

function start(setup: GatewaySetup): Promise<Gateway> {
  const directory = mkdtempSync(join(setup.processes.directory, 'haproxy-'));
  const path = join(directory, 'haproxy.cfg');
  // It wants certificate and key in one file.
  const pair = join(directory, 'pair.pem');
  const bind = setup.secure ? ` ssl crt ${pair}` : '';
  if (setup.secure)
    writeFileSync(pair, readFileSync(certificate.certFile, 'latin1') + readFileSync(certificate.keyFile, 'latin1'));
  return startGateway(setup, 'haproxy', 'haproxy', (port) => {
    writeFileSync(path, haproxyConfig(port, setup.originPort, bind));
    return ['-db', '-f', path];
  });
}

/** No `maxconn`: it takes what the limit of open files allows. */
function haproxyConfig(port: number, originPort: number, bind: string): string {
  return `
global
  nbthread 1

defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 30s
  timeout http-keep-alive 300s
  option forwardfor
  http-reuse always

frontend public
  bind 127.0.0.1:${port} backlog 4096${bind}
  http-request set-header X-Forwarded-Proto http
  default_backend origin

backend origin
  server origin 127.0.0.1:${originPort}
`;
}
