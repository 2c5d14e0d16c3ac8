/** The server behind all the gateways: an nginx that answers from memory, or with files. */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxConfig } from './nginx-config.ts';
import { type Processes, pickFreePort } from './processes.ts';
import { sha256, type Workload } from './workload.ts';

const GIBIBYTE = 2 ** 30;
const UPLOAD_BYTES = 4096;

const smallJson = JSON.stringify({ id: 4711, name: 'photon', inStock: true, price: '19.90' }).padEnd(64);
const uploadReply = JSON.stringify({ received: UPLOAD_BYTES });

/** Printable, of exactly `bytes` bytes, and different all along. */
function productList(bytes: number): string {
  let text = '[';
  for (let id = 0; text.length < bytes; id++) text += `{"id":${id},"name":"product ${id * 7919}"},\n`;
  return `${text.slice(0, bytes - 1)}]`;
}

const files: Readonly<Record<string, string>> = { '16k.json': productList(16_384), '256k.json': productList(262_144) };

function expectReply(method: 'GET' | 'POST', paths: readonly string[], body: string | null, reply: string): Workload {
  return { method, paths, body, replyBytes: Buffer.byteLength(reply), replySha256: sha256(reply) };
}

export const workloads = {
  small: expectReply('GET', ['/small.json'], null, smallJson),
  file16k: expectReply('GET', ['/16k.json'], null, files['16k.json'] as string),
  file256k: expectReply('GET', ['/256k.json'], null, files['256k.json'] as string),
  upload: expectReply('POST', ['/upload'], productList(UPLOAD_BYTES), uploadReply),
} as const satisfies Record<string, Workload>;

/** The small reply, for paths of your own: the origin gives it for every path that it does not know. */
export function smallAt(paths: readonly string[]): Workload {
  return { ...workloads.small, paths };
}

/** A reply of one GiB of zeros, which take no room on the disk. */
export const gigabytePath = '/gigabyte';

export interface Origin {
  readonly port: number;
}

export async function startOrigin(processes: Processes): Promise<Origin> {
  const directory = join(processes.directory, 'origin');
  const content = join(directory, 'content');
  mkdirSync(content, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(content, name), text);
  const gigabyte = openSync(join(content, gigabytePath), 'w');
  ftruncateSync(gigabyte, GIBIBYTE);
  closeSync(gigabyte);

  const port = await pickFreePort();
  const path = join(directory, 'nginx.conf');
  // "return" reads a request's body before the connection takes its next request.
  const http = `
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10 inactive=1h;
  types { application/json json; }
  default_type application/json;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${content};
    location / { return 200 '${smallJson}'; }
    location = /upload { return 200 '{"received":$content_length}'; }
    ${Object.keys(files)
      .map((name) => `location = /${name} { }`)
      .join(' ')}
    location = ${gigabytePath} { }
  }`;
  writeFileSync(path, nginxConfig(directory, http));
  await processes.startServer(
    { name: 'origin', command: 'nginx', args: ['-c', path, '-e', 'stderr'], core: null },
    port,
  );
  return { port };
}
