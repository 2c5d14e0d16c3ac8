import type { Config } from '../config/config.ts';
import type { SharedMemory } from '../memory/shared-memory.ts';
import type { ListenSource } from '../net/binding.ts';
import type { TlsClientMaterial } from '../net/tls-client.ts';
import type { TlsServerMaterial } from '../net/tls-server.ts';
import type { RouterTables } from '../routing/router-tables.ts';

/** The first message to a worker, and the only one that carries sockets: they belong into its transfer list. */
export interface StartMessage {
  readonly type: 'start';
  readonly config: Config;
  readonly routerTables: RouterTables;
  readonly shared: SharedMemory;
  /** The worker's own row in every shared table. */
  readonly row: number;
  readonly listeners: readonly ListenerPlan[];
  readonly tls: TlsMaterial;
  /** The port of the first listener for HTTPS; null without one. */
  readonly httpsPort: number | null;
  /** Sockets of clients and upstreams, over all workers; null for no limit. */
  readonly maxSockets: number | null;
  /** Where the worker writes its lines of the access log, of `AccessBlocks.allocate`. */
  readonly accessMemory: SharedArrayBuffer;
}

/** One listener of a worker. */
export interface ListenerPlan {
  readonly source: ListenSource;
  readonly secure: boolean;
}

/** Certificates, keys and authorities, read from their files. */
export interface TlsMaterial {
  /** Null: no listener speaks TLS. */
  readonly server: TlsServerMaterial | null;
  /** Of every upstream over all backends, in the order of the configuration; null for those without TLS. */
  readonly upstreams: readonly (TlsClientMaterial | null)[];
}

/** New certificates or keys: connections that begin from now on use them. */
export interface TlsMessage {
  readonly type: 'tls';
  readonly tls: TlsMaterial;
}

/** Accept nothing new, finish what is running, then say `drained`. */
export interface DrainMessage {
  readonly type: 'drain';
}

export type MessageToWorker = StartMessage | TlsMessage | DrainMessage;
