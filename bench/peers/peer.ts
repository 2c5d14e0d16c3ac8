import { spawnSync } from 'node:child_process';
import { type Processes, pickFreePort, processTree, type RunningProcess } from '../processes.ts';

export interface GatewaySetup {
  readonly processes: Processes;
  /** Or several, with commas. */
  readonly core: number | string;
  readonly originPort: number;
  /** Speak TLS with clients, by the certificate of `certificate.ts`. */
  readonly secure: boolean;
}

/** A gateway that runs, and listens on 127.0.0.1. */
export interface Gateway {
  readonly name: string;
  readonly port: number;
  readonly secure: boolean;
  /** All of its processes. */
  pids(): number[];
  stop(): Promise<void>;
}

export interface Peer {
  readonly name: string;
  /** What it says that it is, on one line; null when it is not installed. */
  version(): string | null;
  start(setup: GatewaySetup): Promise<Gateway>;
}

/** The first line that a command says to `-v`; null when there is no such command. */
export function askVersion(command: string): string | null {
  const { error, stdout, stderr } = spawnSync(command, ['-v'], { encoding: 'latin1' });
  return error === undefined ? (`${stdout}${stderr}`.trim().split('\n')[0] ?? '') : null;
}

/** Starts a gateway on a free port. `argsFor` writes its config for that port. */
export async function startGateway(
  setup: GatewaySetup,
  name: string,
  command: string,
  argsFor: (port: number) => readonly string[],
): Promise<Gateway> {
  const port = await pickFreePort();
  const running: RunningProcess = await setup.processes.startServer(
    { name, command, args: argsFor(port), core: setup.core },
    port,
  );
  return { name, port, secure: setup.secure, pids: () => processTree(running.pid), stop: () => running.stop() };
}
