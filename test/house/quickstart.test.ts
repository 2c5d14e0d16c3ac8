import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/control/load-config.ts';

const SCRIPT = fileURLToPath(new URL('../../examples/quickstart/start.ts', import.meta.url));
const CONFIG = fileURLToPath(new URL('../../examples/quickstart/config.yaml', import.meta.url));

type Ports = Readonly<Record<'PHOTON_PORT' | 'HELLO_PORT' | 'ECHO_PORT', string>>;

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): string => String((server.address() as AddressInfo).port);

async function freePorts(): Promise<Ports> {
  const servers = await Promise.all([listen(), listen(), listen()]);
  const [first, second, third] = servers.map(portOf);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return { PHOTON_PORT: first ?? '', HELLO_PORT: second ?? '', ECHO_PORT: third ?? '' };
}

function start(t: TestContext, ports: Ports): ChildProcess {
  const child = spawn(process.execPath, [SCRIPT], { env: { ...process.env, ...ports } });
  t.after(async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  });
  return child;
}

/** What it prints up to and with the line that holds `last`, or all when it ends before. */
async function output(child: ChildProcess, last: string): Promise<string> {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const ended = once(child, 'close');
  while (!text.includes(last) && child.exitCode === null) {
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
  }
  return text;
}

function paste(line: string): string {
  return execFileSync('bash', ['-c', line.replace('curl', 'curl -sS')], { encoding: 'utf8' });
}

/** What each printed line has to answer, in the order in which they are printed. */
const ANSWERS = [
  /"message":"Hello, world!"/,
  /"message":"Hello, world!"/,
  /^HTTP\/1\.1 200 [\s\S]*"url":"\/anything\?x=1"/,
  /"method":"POST","url":"\/",[\s\S]*"body":"some text"/,
  /^HTTP\/1\.1 405 [\s\S]*allow: GET/i,
  /^HTTP\/1\.1 404 /,
];

describe('npm start', () => {
  test('every curl line that it prints works when pasted', async (t) => {
    const child = start(t, await freePorts());
    const text = await output(child, 'Ctrl-C ends everything');
    const lines = text.split('\n').filter((line) => line.trimStart().startsWith('curl '));
    const replies = lines.map(paste);
    assert.equal(replies.length, ANSWERS.length, text);
    for (const [index, answer] of ANSWERS.entries()) {
      assert.match(replies[index] ?? '', answer);
    }
    assert.notEqual(replies[0], replies[1], 'the upstreams take turns');
  });

  test('Ctrl-C ends everything with exit code 0, also when it arrives twice through npm', async (t) => {
    const ports = await freePorts();
    const child = start(t, ports);
    await output(child, 'Ctrl-C ends everything');
    child.kill('SIGINT');
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    for (const port of Object.values(ports)) {
      const server = createServer().listen(Number(port), '127.0.0.1');
      await once(server, 'listening');
      server.close();
    }
  });

  test('a port that is in use is named, with the variable that chooses another', async (t) => {
    const taken = await listen();
    t.after(() => taken.close());
    const child = start(t, { ...(await freePorts()), HELLO_PORT: portOf(taken) });
    const text = await output(child, 'npm start');
    assert.match(text, new RegExp(`^Cannot start: in use already: port ${portOf(taken)}\\.\\n.*HELLO_PORT=`));
    assert.equal(child.exitCode, 1);
  });

  test('its configuration loads without a warning', async () => {
    assert.deepEqual((await loadConfig(CONFIG)).warnings, []);
  });
});
