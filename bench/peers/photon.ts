import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MiddlewareWish } from '../bench.ts';
import { certificate } from '../certificate.ts';
import { pickFreePort } from '../processes.ts';
import { type Gateway, type GatewaySetup, startGateway } from './peer.ts';

export interface PhotonSetup extends GatewaySetup {
  readonly name: string;
  /** The file that node runs: `src/main.ts`, or another build of it. */
  readonly entry: string;
  /** Route patterns; all lead to the origin. */
  readonly paths: readonly string[];
  /** Log every request to a file, as JSON. */
  readonly accessLog: boolean;
  readonly workers: number;
  /** What every request passes; null: nothing. */
  readonly middleware: MiddlewareWish | null;
  /** Options of the backend, as in a mapping of YAML; empty for none. */
  readonly backend: string;
  /** Where every thread writes its CPU profile when it ends; null: no profile. */
  readonly profileDirectory: string | null;
}

/** Photon; its threads share one core, the control thread too, and all of them count. */
export async function startPhoton(setup: PhotonSetup): Promise<Gateway> {
  const directory = mkdtempSync(join(setup.processes.directory, 'photon-'));
  const path = join(directory, 'photon.yaml');
  const accessLog = `{ enabled: ${setup.accessLog}, output: "${join(directory, 'access.log')}" }`;
  const metricsPort = await pickFreePort();
  return startGateway(setup, setup.name, process.execPath, (port) => {
    writeFileSync(path, photonConfig(port, metricsPort, accessLog, setup));
    return [...profilerOptions(setup.profileDirectory), setup.entry, '--config', path];
  });
}

function profilerOptions(directory: string | null): string[] {
  if (directory === null) return [];
  mkdirSync(directory, { recursive: true });
  return ['--cpu-prof', `--cpu-prof-dir=${directory}`];
}

function listener(port: number, secure: boolean): string {
  if (!secure) return `http_addr: "127.0.0.1:${port}"`;
  return `https_addr: "127.0.0.1:${port}", tls_cert: ${certificate.certFile}, tls_key: ${certificate.keyFile}`;
}

function photonConfig(port: number, metricsPort: number, accessLog: string, setup: PhotonSetup): string {
  // JSON is YAML, and needs no care with what stands in it.
  const { names, block } = setup.middleware ?? { names: [], block: {} };
  return `
server: { ${listener(port, setup.secure)}, workers: ${setup.workers}, middleware: ${JSON.stringify(names)} }
middleware: ${JSON.stringify(block)}
metrics: { metrics_addr: "127.0.0.1:${metricsPort}" }
access_log: ${accessLog}
load_balancing:
  backends: { origin: { ${setup.backend}${setup.backend === '' ? '' : ', '}upstreams: [ { address: "127.0.0.1:${setup.originPort}" } ] } }
routes:
${setup.paths.map((pattern) => `  - { path: "${pattern}", backend: origin }`).join('\n')}
`;
}
