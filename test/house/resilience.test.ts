import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../examples/resilience/start.ts', import.meta.url));

test('the example of resilience plays to its end without a failed request, and the killed upstream comes back', async (t) => {
  const [photon, first, second, third] = await freePorts(4);
  const ports = { PHOTON_PORT: `${photon}`, FIRST_PORT: `${first}`, SECOND_PORT: `${second}`, THIRD_PORT: `${third}` };
  const child = spawn(process.execPath, [SCRIPT], {
    env: { ...process.env, ...ports, PART_MS: '2500', CHECK_TIMEOUT: '30s' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.match(printed, /failed in all: 0$/m);
  const [, killed = '', back = ''] = printed.split(/^--- the third.*$/m);
  assert.match(killed, /third {4,}0 /, 'nothing comes from what is gone');
  assert.match(back, /third +[1-9]/, 'it answers again');
});

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
