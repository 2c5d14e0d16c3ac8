import net from 'node:net';
import { resolve } from 'node:path';
import { usualAddress } from '../base/address.ts';

/** Where and how a worker listens, from the control thread. */
export type ListenSource =
  | { readonly host: string; readonly port: number; readonly reusePort: true }
  | { readonly path: string };

/** An address that is open. TCP: `host` is an IP literal and `port` not 0. A unix socket: only `path` counts. */
export interface OpenAddress {
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

/** An address could not be had. The message is one line that names the address and the reason. */
export class BindError extends Error {
  /** The system's error code, if the system refused. */
  readonly code: string | null;

  constructor(text: string, reason: string, code: string | null = null) {
    super(`Cannot listen on ${text}: ${reason}`);
    this.name = 'BindError';
    this.code = code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'this machine does not have the address',
  EACCES: 'permission denied',
  ENOENT: 'the directory does not exist',
};

/** The BindError for the system's error. */
export function bindErrorFrom(error: unknown, text: string): BindError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new BindError(text, REASONS[code ?? ''] ?? message, code ?? null);
}

/** Since Node 26.4; before that nothing is held, and port 0 cannot be shared. */
const CAN_RESERVE = typeof net.BoundSocket === 'function';
/** Not with the first of them, nor in the types. */
const CAN_BIND_PATHS = CAN_RESERVE && 'isPipe' in net.BoundSocket.prototype;

/** Binds a socket that a worker listens on later. Null if this Node cannot bind without listening. Throws a BindError. */
export function bindApart(source: ListenSource): net.BoundSocket | null {
  if (!('path' in source ? CAN_BIND_PATHS : CAN_RESERVE)) return null;
  try {
    return new net.BoundSocket(source as net.BoundSocketOptions);
  } catch (error) {
    throw bindErrorFrom(error, formatSource(source));
  }
}

/**
 * Binds without SO_REUSEPORT and lets go again: with it, a second gateway on the same address would start without a word and take half of
 * the connections. It does not listen, so that no client connects to it. Returns the port, settled where 0 was asked
 * for; null where this Node cannot. Throws a BindError.
 */
export function bindAlone(host: string, port: number, text: string): number | null {
  if (!CAN_RESERVE) return null;
  try {
    const socket = new net.BoundSocket({ host, port });
    const { port: settled } = socket.address();
    socket.close();
    return settled;
  } catch (error) {
    throw bindErrorFrom(error, text);
  }
}

function reserve(host: string, port: number, text: string): net.BoundSocket | null {
  if (!CAN_RESERVE) return null;
  try {
    return new net.BoundSocket({ host, port, reusePort: true });
  } catch (error) {
    throw bindErrorFrom(error, text);
  }
}

/**
 * An address held for the workers. Each TCP listener is a socket of its own with SO_REUSEPORT, between which the kernel spreads the
 * connections. The reservation is one more such socket that never listens: it settles port 0, finds out early whether a worker could not
 * listen, and keeps the port while the only worker is being replaced.
 *
 *   reservation (bound)   worker 0 (bound, listens)   worker 1 (bound, listens)   ...
 *            \____________________ the same address and port ____________________/
 *
 * Each worker binds its own: a socket that Node moves from thread to thread (`postMessage`) would pass on to every process that the
 * gateway starts, and would listen there when its worker is long dead.
 */
export class Binding {
  readonly address: OpenAddress;
  /** `keyOf` the address. */
  readonly key: string;
  readonly #reservation: net.BoundSocket | null;

  private constructor(address: OpenAddress, reservation: net.BoundSocket | null) {
    this.address = address;
    this.key = keyOf(address);
    this.#reservation = reservation;
  }

  /** Holds an IP literal and a port. Throws a BindError. */
  static tcp(host: string, port: number, text: string): Binding {
    const reservation = reserve(host, port, text);
    return new Binding({ host, port: reservation?.address().port ?? port, path: null }, reservation);
  }

  static unix(path: string): Binding {
    return new Binding({ host: '', port: 0, path }, null);
  }

  /**
   * The source that the worker of this row listens on. Null for a unix socket in any row but the first: a path cannot be bound twice, so
   * one worker serves it.
   */
  sourceFor(row: number): ListenSource | null {
    const { host, port, path } = this.address;
    if (path !== null) {
      return row === 0 ? { path } : null;
    }
    return { host, port, reusePort: true };
  }

  release(): void {
    this.#reservation?.close();
  }
}

/** The same for every way to write an address. */
export function keyOf({ host, port, path }: OpenAddress): string {
  return formatAddress({ host: usualAddress(host) ?? host, port, path: path === null ? null : resolve(path) });
}

export function formatSource(source: ListenSource): string {
  return formatAddress('path' in source ? { host: '', port: 0, path: source.path } : { ...source, path: null });
}

/** `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/photon.sock`. */
export function formatAddress({ host, port, path }: OpenAddress): string {
  if (path !== null) {
    return `unix:${path}`;
  }
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
