import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';

/** Starts a real HAProxy that passes TCP connections on to a port of 127.0.0.1; `options` are those of its `server` line. */
export function startHaproxy(toPort: number, options: string): Promise<Daemon> {
  return startDaemon({
    program: 'haproxy',
    configName: 'haproxy.cfg',
    config: (port) => `
global
  maxconn 200
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen front
  bind 127.0.0.1:${port}
  server photon 127.0.0.1:${toPort} ${options}
`,
    args: (directory) => ['-db', '-q', '-f', join(directory, 'haproxy.cfg')],
  });
}
