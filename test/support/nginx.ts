import { join } from 'node:path';
import { startDaemon } from './daemon.ts';

/** A real nginx, run from a temporary directory. */
export interface Nginx {
  readonly port: number;
  /** What the configuration calls `www`: files in it are served. */
  readonly root: string;
  close(): Promise<void>;
}

/** Starts nginx with the given `location` blocks on a free port of 127.0.0.1; `listen` is what stands behind the address. */
export async function startNginx(locations: string, listen = ''): Promise<Nginx> {
  const { port, directory, close } = await startDaemon({
    program: 'nginx',
    configName: 'nginx.conf',
    config: (port, directory) => nginxConfig(directory, `127.0.0.1:${port} ${listen}`, locations),
    args: (directory) => ['-p', directory, '-c', join(directory, 'nginx.conf')],
  });
  return { port, root: directory, close };
}

function nginxConfig(directory: string, listen: string, locations: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${directory}/${each};`,
  );
  return `
    daemon off;
    master_process off;
    pid ${directory}/nginx.pid;
    error_log ${directory}/error.log;
    events { worker_connections 1024; }
    http {
      access_log off;
      types { text/html html; text/css css; text/javascript js; image/svg+xml svg; application/json json; }
      ${temporary.join('\n      ')}
      keepalive_requests 1000000;
      client_max_body_size 0;
      root ${directory};
      server {
        listen ${listen};
        ${locations}
      }
    }
  `;
}
