import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A real nginx, run from a temporary directory. */
export interface Nginx {
  readonly port: number;
  /** What the configuration calls `www`: files in it are served. */
  readonly root: string;
  close(): Promise<void>;
}

const START_ATTEMPTS = 3;

/** Starts nginx with the given `location` blocks on a free port of 127.0.0.1. */
export async function startNginx(locations: string): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), 'nginx-origin-'));
  const configFile = join(directory, 'nginx.conf');
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await writeFile(configFile, nginxConfig(directory, port, locations));
    const nginx = spawn('nginx', ['-p', directory, '-c', configFile], { stdio: ['ignore', 'ignore', 'inherit'] });
    if (await listens(nginx, port)) return { port, root: directory, close: () => stop(nginx, directory) };
    if (attempt < START_ATTEMPTS) continue;
    const log = await readFile(join(directory, 'error.log'), 'utf8').catch(() => 'no log');
    throw new Error(`Cannot start nginx on port ${port}: ${log}`);
  }
}

function nginxConfig(directory: string, port: number, locations: string): string {
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
        listen 127.0.0.1:${port};
        ${locations}
      }
    }
  `;
}

/** A port that was free a moment ago: nginx cannot choose one by itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listens(nginx: ChildProcess, port: number): Promise<boolean> {
  let failure: Error | null = null;
  nginx.on('error', (error) => {
    failure = error;
  });
  for (let waitedMs = 0; waitedMs < 5000 && nginx.exitCode === null; waitedMs += 20) {
    if (failure !== null) throw failure;
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (answered) return true;
    await pause(20);
  }
  return false;
}

async function stop(nginx: ChildProcess, directory: string): Promise<void> {
  if (nginx.exitCode === null) {
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
}
