import { lookup } from 'node:dns/promises';
import { access, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, isIP, type ListenOptions } from 'node:net';
import { dirname } from 'node:path';
import { BindError, Binding, bindAlone, bindErrorFrom, keyOf, type OpenAddress } from './binding.ts';

/** An address to bind: an IP literal or a name (empty: every address of the machine) and a port, or a path. */
interface WantedAddress extends OpenAddress {
  /** The address as the user wrote it. */
  readonly text: string;
}

/**
 * Binds addresses for one configuration. Bindings of the configuration before that it does not use any more are taken over, so that they
 * stay open.
 */
export class Binder {
  readonly #free: Map<string, Binding>;
  readonly #bound: Binding[] = [];

  /** `free`: bindings that their owner releases unless they are taken over. */
  constructor(free: readonly Binding[] = []) {
    this.#free = new Map(free.map((binding) => [binding.key, binding]));
  }

  /** A name stands for several addresses. Throws a BindError when the address cannot be had; `release` is then up to the caller. */
  async bind({ host, port, path, text }: WantedAddress): Promise<readonly Binding[]> {
    if (path !== null) return [await this.#bindUnix(path, text)];
    if (host === '') return [await this.#bindEverywhere(port, text)];
    return isIP(host) === 0 ? this.#bindName(host, port, text) : [await this.#bindTcp(host, port, text)];
  }

  /** Releases the bindings that were made here, and none that was taken over. */
  release(): void {
    for (const binding of this.#bound) binding.release();
    this.#bound.length = 0;
  }

  #takeOver(address: OpenAddress): Binding | null {
    const key = keyOf(address);
    const binding = this.#free.get(key) ?? null;
    this.#free.delete(key);
    return binding;
  }

  #keep(binding: Binding): Binding {
    this.#bound.push(binding);
    return binding;
  }

  async #bindTcp(host: string, port: number, text: string): Promise<Binding> {
    const own = this.#takeOver({ host, port, path: null });
    if (own !== null) return own;
    const settled = this.#overlaps(host, port)
      ? port
      : (bindAlone(host, port, text) ?? (await probe({ host, port }, text)));
    return this.#keep(Binding.tcp(host, settled, text));
  }

  /**
   * Every address of the machine takes the place of one, or the other way round, on one port. Both are ours until the old one is released,
   * so that binding the port alone fails, whether another program has it or not.
   */
  #overlaps(host: string, port: number): boolean {
    const others = [...this.#free.values()].filter(({ address }) => address.port === port && address.path === null);
    return others.some(({ address }) => isEverywhere(address.host) || isEverywhere(host));
  }

  /** `::` takes IPv4 connections too; a machine without IPv6 has `0.0.0.0`. */
  async #bindEverywhere(port: number, text: string): Promise<Binding> {
    try {
      return await this.#bindTcp('::', port, text);
    } catch (error) {
      if (lacksAddress(error)) return this.#bindTcp('0.0.0.0', port, text);
      throw error;
    }
  }

  /**
   * A name stands for all of its addresses, on one port. Those that the machine does not have are left out (`localhost`
   * often has an IPv6 address that the loopback device lacks), as long as one remains.
   */
  async #bindName(name: string, port: number, text: string): Promise<readonly Binding[]> {
    const bindings: Binding[] = [];
    let missing: unknown;
    for (const host of await resolveName(name, text)) {
      try {
        bindings.push(await this.#bindTcp(host, bindings[0]?.address.port ?? port, text));
      } catch (error) {
        if (!lacksAddress(error)) throw error;
        missing = error;
      }
    }
    if (bindings.length === 0) throw missing;
    return bindings;
  }

  async #bindUnix(path: string, text: string): Promise<Binding> {
    const own = this.#takeOver({ host: '', port: 0, path });
    if (own !== null) return own;
    // Node reports a missing directory as EACCES.
    await access(dirname(path)).catch((error: unknown) => Promise.reject(bindErrorFrom(error, text)));
    await clearUnixPath(path, text);
    await probe({ path }, text);
    return this.#keep(Binding.unix(path));
  }
}

const isEverywhere = (host: string): boolean => host === '::' || host === '0.0.0.0';

/**
 * Listens without SO_REUSEPORT and closes again, which finds out whether another program listens. A client that comes in between is reset.
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

async function resolveName(name: string, text: string): Promise<readonly string[]> {
  try {
    const found = await lookup(name, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch {
    throw new BindError(text, `the name "${name}" does not resolve`);
  }
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
