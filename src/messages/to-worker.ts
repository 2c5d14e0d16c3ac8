import type { Config } from '../config/config.ts';
import type { SharedMemory } from '../memory/shared-memory.ts';
import type { ListenSource } from '../net/binding.ts';
import type { TlsMaterial } from '../net/tls-server.ts';
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
  /** Null: no listener speaks TLS. */
  readonly tls: TlsMaterial | null;
}

/** One listener of a worker. */
export interface ListenerPlan {
  readonly source: ListenSource;
  readonly secure: boolean;
}

/** Accept nothing new, finish what is running, then say `drained`. */
export interface DrainMessage {
  readonly type: 'drain';
}

export type MessageToWorker = StartMessage | DrainMessage;
