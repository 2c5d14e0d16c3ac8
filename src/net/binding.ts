import net from 'node:net';

/**
 * Where and how a worker listens, handed to it by the control thread. A `BoundSocket` has to be in the transfer list
 * of the message that carries it.
 */
export type ListenSource =
  | net.BoundSocket
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** An address that is open. TCP: `host` is an IP literal and `port` not 0. A unix socket: only `path` counts. */
export interface OpenAddress {
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

/** An address could not be had. The message is one line that names the address and the reason. */
export class BindError extends Error {
  /** The system's error code, if the system said no. */
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

/** The BindError for what the system said. */
export function bindErrorFrom(error: unknown, text: string): BindError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new BindError(text, REASONS[code ?? ''] ?? message, code ?? null);
}

/** Node 26.4 and later move bound sockets between threads. Before that a worker binds by itself. */
const MOVES_SOCKETS = typeof net.BoundSocket === 'function';

function bindReusable(host: string, port: number, text: string): net.BoundSocket {
  try {
    return new net.BoundSocket({ host, port, reusePort: true });
  } catch (error) {
    throw bindErrorFrom(error, text);
  }
}

/**
 * An address held for the workers. Each TCP listener is a socket of its own with SO_REUSEPORT, between which the kernel
 * spreads the connections. The reservation is one more such socket that never listens: it settles port 0 and keeps the
 * port ours while a lone worker is being replaced.
 *
 *   reservation (bound)   worker 0 (bound, listens)   worker 1 (bound, listens)   ...
 *            \____________________ the same address and port ____________________/
 */
export class Binding {
  readonly address: OpenAddress;
  /** The address as the user wrote it. */
  readonly #text: string;
  readonly #reservation: net.BoundSocket | null;

  private constructor(address: OpenAddress, text: string, reservation: net.BoundSocket | null) {
    this.address = address;
    this.#text = text;
    this.#reservation = reservation;
  }

  /** Holds an IP literal and a port. Throws a BindError. */
  static tcp(host: string, port: number, text: string): Binding {
    if (!MOVES_SOCKETS) {
      return new Binding({ host, port, path: null }, text, null);
    }
    const reservation = bindReusable(host, port, text);
    return new Binding({ host, port: reservation.address().port, path: null }, text, reservation);
  }

  static unix(path: string, text: string): Binding {
    return new Binding({ host: '', port: 0, path }, text, null);
  }

  /**
   * What the worker of this row listens on: a fresh socket each time, since the last one died with its worker. Null for
   * a unix socket in any row but the first: a path cannot be bound twice, so one worker serves it. Throws a BindError.
   */
  sourceFor(row: number): ListenSource | null {
    const { host, port, path } = this.address;
    if (path !== null) {
      return row === 0 ? { path } : null;
    }
    return MOVES_SOCKETS ? bindReusable(host, port, this.#text) : { host, port };
  }

  release(): void {
    this.#reservation?.close();
  }
}

export const isBoundSocket = (source: ListenSource): source is net.BoundSocket =>
  MOVES_SOCKETS && source instanceof net.BoundSocket;

/** `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/photon.sock`. */
export function formatAddress({ host, port, path }: OpenAddress): string {
  if (path !== null) {
    return `unix:${path}`;
  }
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
