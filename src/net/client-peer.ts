import type { Endpoints } from '../wire/proxy-protocol/header.ts';
import type { Connection } from './connection.ts';
import type { PrivateConnections } from './private-connections.ts';
import type { DownstreamPeer } from './streams.ts';

/** The client at the other end of a connection, from the system or from a PROXY header. */
export class ClientPeer implements DownstreamPeer {
  readonly scheme: 'http' | 'https';
  identity: unknown = null;
  privateConnections: PrivateConnections | null = null;
  /** Null: not open yet, or gone. */
  #connection: Connection | null = null;
  /** The ends from a PROXY header; null: those of the connection count. */
  #announced: Endpoints | null = null;
  /** Computed once, since every request reads it. */
  #address: string | null = null;

  constructor(scheme: 'http' | 'https') {
    this.scheme = scheme;
  }

  open(connection: Connection, announced: Endpoints | null): void {
    this.#connection = connection;
    this.#announced = announced;
  }

  close(): void {
    this.#connection = null;
    this.privateConnections?.close();
  }

  get address(): string {
    this.#address ??= this.#announced?.sourceAddress ?? this.#connection?.remoteAddress ?? '';
    return this.#address;
  }

  get port(): number {
    return this.#announced?.sourcePort ?? this.#connection?.remotePort ?? 0;
  }

  get localAddress(): string {
    return this.#announced?.destinationAddress ?? this.#connection?.localAddress ?? '';
  }

  get localPort(): number {
    return this.#announced?.destinationPort ?? this.#connection?.localPort ?? 0;
  }

  get certificateSubject(): string | null {
    return this.#connection?.certificateSubject ?? null;
  }
}
