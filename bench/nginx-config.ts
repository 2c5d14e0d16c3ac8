import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** One worker process, no logs, every file below `directory`: what the origin and the nginx peers have in common. */
export function nginxConfig(directory: string, http: string): string {
  mkdirSync(directory, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${join(directory, kind)};`)
    .join('\n');
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log ${join(directory, 'error.log')} warn;
events { worker_connections 18000; }
http {
  access_log off;
  keepalive_timeout 300s;
  keepalive_requests 1000000000;
${temporary}
${http}
}
`;
}
