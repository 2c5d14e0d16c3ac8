import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificate } from '../certificate.ts';
import { nginxConfig } from '../nginx-config.ts';
import { askVersion, type Gateway, type GatewaySetup, type Peer, startGateway } from './peer.ts';

/** As most people run it: its own defaults, with upstream keep-alive, the usual forwarding fields and no access log. */
export const nginx: Peer = nginxPeer('nginx', '');

/** Larger buffers and no temporary files, which is what large replies and slow readers want. */
export const nginxTuned: Peer = nginxPeer(
  'nginx-tuned',
  `
      proxy_buffer_size 64k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;`,
);

/** The same job as Photon's: it makes request ids, and says towards both sides which way a message came. */
export const nginxSameJob: Peer = nginxPeer(
  'nginx-same-job',
  `
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header Via "1.1 nginx";
      proxy_set_header X-Request-ID $request_id;
      add_header Via "1.1 nginx" always;
      add_header X-Request-ID $request_id always;`,
);

/** With the access log that it has by default: one write for every line. */
export const nginxLog: Peer = nginxPeer('nginx-log', '', 'combined');

/** Lines gather in memory, as many as ours and for as long. */
export const nginxLogBuffered: Peer = nginxPeer('nginx-log-buffered', '', 'combined buffer=64k flush=100ms');

/** Its own defaults but for the shared cache: tickets are what Photon has too. */
const TLS = `
    ssl_certificate ${certificate.certFile};
    ssl_certificate_key ${certificate.keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;`;

/** `log`: how requests are logged; empty for not at all. */
function nginxPeer(name: string, extra: string, log = ''): Peer {
  function start(setup: GatewaySetup): Promise<Gateway> {
    const directory = mkdtempSync(join(setup.processes.directory, `${name}-`));
    const path = join(directory, 'nginx.conf');
    return startGateway(setup, name, 'nginx', (port) => {
      const access = log === '' ? '' : `\n      access_log ${join(directory, 'access.log')} ${log};`;
      writeFileSync(path, nginxConfig(directory, proxyServer(port, setup, extra + access)));
      return ['-c', path, '-e', 'stderr'];
    });
  }
  return { name, version: () => askVersion('nginx'), start };
}

function proxyServer(port: number, { originPort, secure }: GatewaySetup, extra: string): string {
  return `
  upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port}${secure ? ' ssl' : ''} backlog=4096;${secure ? TLS : ''}
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;${extra}
    }
  }`;
}
