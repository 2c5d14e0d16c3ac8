import { lookup } from 'node:dns/promises';
import { access, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, isIP, type ListenOptions } from 'node:net';
import { dirname } from 'node:path';
import { BindError, Binding, bindAlone, bindErrorFrom, type OpenAddress } from './binding.ts';

/** What is to be bound: an IP literal or a name (empty: every address of the machine) and a port, or a path. */
interface WantedAddress extends OpenAddress {
  /** The address as the user wrote it. */
  readonly text: string;
}

/** Binds every address, or none: throws a BindError for the first one that cannot be had. */
export async function bindAddresses(addresses: readonly WantedAddress[]): Promise<readonly Binding[]> {
  const bindings: Binding[] = [];
  try {
    for (const address of addresses) {
      bindings.push(...(await bindAddress(address)));
    }
  } catch (error) {
    releaseAll(bindings);
    throw error;
  }
  return bindings;
}

async function bindAddress({ host, port, path, text }: WantedAddress): Promise<readonly Binding[]> {
  if (path !== null) {
    return [await bindUnix(path, text)];
  }
  if (host === '') {
    return [await bindEverywhere(port, text)];
  }
  return isIP(host) === 0 ? bindName(host, port, text) : [await bindTcp(host, port, text)];
}

async function bindTcp(host: string, port: number, text: string): Promise<Binding> {
  return Binding.tcp(host, bindAlone(host, port, text) ?? (await probe({ host, port }, text)), text);
}

/**
 * Listens without SO_REUSEPORT and closes again, which finds out whether somebody else listens. A client that comes in between is reset.
 * Returns the port, settled where 0 was asked for.
 */
function probe(options: ListenOptions, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(bindErrorFrom(error, text)));
    server.listen(options, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const lacksAddress = (error: unknown): boolean =>
  error instanceof BindError && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT');

/** `::` takes IPv4 connections too; a machine without IPv6 has `0.0.0.0`. */
async function bindEverywhere(port: number, text: string): Promise<Binding> {
  try {
    return await bindTcp('::', port, text);
  } catch (error) {
    if (lacksAddress(error)) {
      return bindTcp('0.0.0.0', port, text);
    }
    throw error;
  }
}

/**
 * A name stands for all of its addresses, on one port. Those that the machine does not have are left out (`localhost`
 * often has an IPv6 address that the loopback device lacks), as long as one remains.
 */
async function bindName(name: string, port: number, text: string): Promise<readonly Binding[]> {
  const bindings: Binding[] = [];
  let missing: unknown;
  for (const host of await resolveName(name, text)) {
    try {
      bindings.push(await bindTcp(host, bindings[0]?.address.port ?? port, text));
    } catch (error) {
      if (!lacksAddress(error)) {
        releaseAll(bindings);
        throw error;
      }
      missing = error;
    }
  }
  if (bindings.length === 0) {
    throw missing;
  }
  return bindings;
}

async function resolveName(name: string, text: string): Promise<readonly string[]> {
  try {
    const found = await lookup(name, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch {
    throw new BindError(text, `the name "${name}" does not resolve`);
  }
}

async function bindUnix(path: string, text: string): Promise<Binding> {
  // Node reports a missing directory as EACCES.
  await access(dirname(path)).catch((error: unknown) => Promise.reject(bindErrorFrom(error, text)));
  await clearUnixPath(path, text);
  await probe({ path }, text);
  return Binding.unix(path);
}

/** Removes the socket file that a gateway left behind when it was killed; anything else at the path is an error. */
async function clearUnixPath(path: string, text: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) {
    return;
  }
  if (!found.isSocket()) {
    throw new BindError(text, 'there is a file that is not a socket');
  }
  if (await isAnswering(path)) {
    throw new BindError(text, 'the address is in use');
  }
  await unlink(path);
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function releaseAll(bindings: readonly Binding[]): void {
  for (const binding of bindings) {
    binding.release();
  }
}
