/**
 * `npm start`: two small upstreams, and Photon in front of them on examples/quickstart/config.yaml. Another port where
 * one is taken: PHOTON_PORT, HELLO_PORT and ECHO_PORT. Ctrl-C ends everything.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Ctrl-C reaches us from the terminal and once more through npm: a repetition this soon is the same one. */
const REPEATED_SIGNAL_MS = 1000;

const PORTS = {
  PHOTON_PORT: process.env['PHOTON_PORT'] ?? '8080',
  HELLO_PORT: process.env['HELLO_PORT'] ?? '9001',
  ECHO_PORT: process.env['ECHO_PORT'] ?? '9002',
};

const fileAt = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const children: ChildProcess[] = [];
let stoppingSinceMs: number | null = null;

/** Starts a script in a process group of its own, so that signals reach it through us only. */
function startProcess(script: string, ...args: string[]): ChildProcess {
  const child = fork(fileAt(script), args, { env: { ...process.env, ...PORTS }, detached: true });
  children.push(child);
  child.once('exit', (code) => stop('SIGTERM', code ?? 1));
  return child;
}

/** Ends everything, gently the first time. The exit code is that of the first reason to stop. */
function stop(signal: NodeJS.Signals, exitCode: number): void {
  const nowMs = performance.now();
  if (stoppingSinceMs === null) {
    stoppingSinceMs = nowMs;
    process.exitCode = exitCode;
    endChildren(signal);
  } else if (signal === 'SIGINT' && nowMs - stoppingSinceMs > REPEATED_SIGNAL_MS) {
    endChildren('SIGKILL');
  }
}

function endChildren(signal: NodeJS.Signals): void {
  for (const child of children) {
    child.kill(signal);
  }
}

/** The variables of PORTS whose port somebody else has, or a variable before it. */
async function takenPorts(): Promise<readonly string[]> {
  const taken: string[] = [];
  const servers: Server[] = [];
  for (const [variable, port] of Object.entries(PORTS)) {
    const server = createServer().listen(Number(port), '127.0.0.1');
    servers.push(server);
    try {
      await once(server, 'listening');
    } catch {
      taken.push(variable);
    }
  }
  for (const server of servers) {
    server.close();
  }
  return taken;
}

function isOpen(port: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** True when all ports are open; false when something ended instead. */
async function allOpen(): Promise<boolean> {
  for (const port of Object.values(PORTS)) {
    while (!(await isOpen(port))) {
      if (stoppingSinceMs !== null) {
        return false;
      }
      await pause(50);
    }
  }
  return stoppingSinceMs === null;
}

function printWhatToTry(): void {
  const url = `http://127.0.0.1:${PORTS.PHOTON_PORT}`;
  console.log(`
Photon is open at ${url}, in front of two upstreams on ports ${PORTS.HELLO_PORT} and ${PORTS.ECHO_PORT}. Try:

  The upstreams take turns:
    curl ${url}/hello/world
    curl ${url}/hello/world

  What the upstream is sent, and what comes back:
    curl -i '${url}/echo/anything?x=1'
    curl -d 'some text' ${url}/echo/

  Refused by the gateway: the route allows GET only; there is no such route:
    curl -i -X POST ${url}/hello/world
    curl -i ${url}/nowhere

The configuration: examples/quickstart/config.yaml. Ctrl-C ends everything.
`);
}

async function main(): Promise<void> {
  const taken = await takenPorts();
  if (taken.length > 0) {
    const ports = taken.map((variable) => PORTS[variable as keyof typeof PORTS]).join(', ');
    console.error(`Cannot start: in use already: port ${ports}.`);
    console.error(`Choose others: ${taken.map((variable) => `${variable}=...`).join(' ')} npm start`);
    process.exitCode = 1;
    return;
  }
  process.on('SIGINT', () => stop('SIGINT', 0));
  process.on('SIGTERM', () => stop('SIGTERM', 0));
  startProcess('upstream.ts', 'first', PORTS.HELLO_PORT);
  startProcess('upstream.ts', 'second', PORTS.ECHO_PORT);
  startProcess('../../src/main.ts', '--config', fileAt('config.yaml'));
  if (await allOpen()) {
    printWhatToTry();
  }
}

await main();
