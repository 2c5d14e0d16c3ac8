import { accessSync, constants, existsSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { isIpAddress } from '../base/address.ts';
import type { Config } from '../config/config.ts';
import type { Path } from '../config/config-node.ts';
import type { ListenAddress } from '../config/option-types.ts';
import type { OptionFault } from '../config/parse-config.ts';
import { refuseOtherFile } from './admin/control-socket.ts';
import { findUnresolvedNames } from './name-lookups.ts';
import { ForeignDirectoryError, refuseForeignRuntimeDirectory, runtimeDirectory } from './runtime-directory.ts';
import { findTlsFaults } from './tls-material.ts';

/** What a start needs of the machine beside the configuration, looked at without opening a listener. */
export async function findMachineFaults(config: Config): Promise<readonly OptionFault[]> {
  const names = await findNameFaults(config);
  return [
    ...findTlsFaults(config),
    ...findControlSocketFaults(config),
    ...findPidFileFaults(config),
    ...findLogFaults(config),
    ...findUnixListenerFaults(config),
    ...names,
  ];
}

/** Where there is no socket to be had in the runtime directory, Photon serves without one; any other fault keeps it from starting. */
function findControlSocketFaults({ server: { upgradeSock } }: Config): readonly OptionFault[] {
  try {
    if (upgradeSock === null) refuseForeignRuntimeDirectory(runtimeDirectory());
    else findControlSocketFault(upgradeSock);
    return [];
  } catch (error) {
    const { message } = error as Error;
    const isWhole = error instanceof ForeignDirectoryError || upgradeSock === null;
    return [
      {
        code: 'unusable-control-socket',
        severity: 'error',
        path: upgradeSock === null ? ['server'] : ['server', 'upgrade_sock'],
        message: isWhole ? message : `Cannot open server.upgrade_sock ${upgradeSock}: ${message}`,
      },
    ];
  }
}

/** Throws an Error. The start makes the directories that are not there. */
function findControlSocketFault(path: string): void {
  refuseForeignRuntimeDirectory(dirname(path));
  refuseOtherFile(path);
  let existing = dirname(path);
  while (!existsSync(existing)) existing = dirname(existing);
  accessSync(existing, constants.W_OK | constants.X_OK);
}

function findPidFileFaults({ server: { pidFile } }: Config): readonly OptionFault[] {
  const code = pidFile === null ? null : whyUnwritable(pidFile);
  if (code === null) return [];
  const message = `Cannot write the pid file ${pidFile}: ${code}`;
  return [{ code: 'unusable-pid-file', severity: 'error', path: ['server', 'pid_file'], message }];
}

function findLogFaults({ accessLog: { enabled, file } }: Config): readonly OptionFault[] {
  const code = enabled && file !== null ? whyUnwritable(file) : null;
  if (code === null) return [];
  const message = `Cannot append to the access log ${file}: ${code}`;
  return [{ code: 'unusable-log-file', severity: 'error', path: ['access_log', 'output'], message }];
}

/** The system's code for why a file cannot be written, or made where there is none; null when it can. */
function whyUnwritable(file: string): string | null {
  try {
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

interface PlacedListener extends ListenAddress {
  readonly at: Path;
}

function listenersOf({ server }: Config): readonly PlacedListener[] {
  // The option is one address or a list of them; a place within one address is the option itself.
  const place = (key: string, list: readonly ListenAddress[]) =>
    list.map((address, index) => ({ ...address, at: list.length === 1 ? ['server', key] : ['server', key, index] }));
  return [...place('http_addr', server.httpAddr), ...place('https_addr', server.httpsAddr)];
}

function findUnixListenerFaults(config: Config): readonly OptionFault[] {
  return listenersOf(config).flatMap(({ path, text, at }) => {
    if (path === null) return [];
    if (!existsSync(dirname(path))) return [listenerFault(text, at, 'the directory does not exist')];
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found === undefined || found.isSocket()
      ? []
      : [listenerFault(text, at, 'there is a file that is not a socket')];
  });
}

function listenerFault(text: string, path: Path, reason: string): OptionFault {
  const message = `Cannot listen on ${text}: ${reason}`;
  return { code: 'unusable-listener', severity: 'error', path, message };
}

interface NameUse {
  readonly name: string;
  readonly fault: OptionFault;
}

/** A listener's name has to resolve. That of an upstream may do so later: the gateway starts without it. */
async function findNameFaults(config: Config): Promise<readonly OptionFault[]> {
  const [listeners, upstreams] = await Promise.all([
    unresolved(listenerNames(config), null),
    unresolved(upstreamNames(config), config.resolver),
  ]);
  return [...listeners, ...upstreams];
}

async function unresolved(
  uses: readonly NameUse[],
  servers: readonly string[] | null,
): Promise<readonly OptionFault[]> {
  const names = await findUnresolvedNames(new Set(uses.map(({ name }) => name)), servers);
  return uses.filter(({ name }) => names.has(name)).map(({ fault }) => fault);
}

function listenerNames(config: Config): readonly NameUse[] {
  return listenersOf(config)
    .filter(({ host }) => isName(host))
    .map(({ host, text, at }) => ({
      name: host,
      fault: listenerFault(text, at, `the name "${host}" does not resolve`),
    }));
}

function upstreamNames({ backends }: Config): readonly NameUse[] {
  return backends.flatMap(({ name: backend, upstreams }) =>
    upstreams.flatMap(({ host, address, service }, index): readonly NameUse[] => {
      if (!isName(host)) return [];
      const name = service === null ? host : `srv:${service}`;
      const path = ['load_balancing', 'backends', backend, 'upstreams', index, 'address'];
      const message = `The name of upstream ${address} does not resolve; requests to it fail until it does`;
      return [{ name, fault: { code: 'unresolved-name', severity: 'warning', path, message } }];
    }),
  );
}

function isName(host: string): boolean {
  return host !== '' && !isIpAddress(host);
}
