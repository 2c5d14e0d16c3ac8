import { join } from 'node:path';
import type { TlsMaterial } from '../messages/to-worker.ts';
import type { EventLog } from './event-log.ts';
import { stateNow, stateOf } from './file-state.ts';
import { runtimeDirectory } from './runtime-directory.ts';
import { TicketKeys } from './ticket-keys.ts';
import { readTlsMaterial, type TlsConfig, tlsFiles } from './tls-material.ts';

/** How often the files are looked at. Secrets are mounted in ways that no watch sees; asking costs nothing. */
const LOOK_EVERY_MS = 1000;

type UseTls = (material: TlsMaterial) => Promise<void>;

/**
 * Certificates and keys as they are now: read again when their files change, the keys of session tickets made anew every day.
 *
 *   unchanged --a file changed--> settling --nothing changed since the last look--> read again
 *       ^                            | ^ \__another change__/                          | good: the new ones
 *       \____________________________________________________________________________/ bad: the old ones stay
 */
export class Certificates {
  readonly #config: TlsConfig;
  readonly #log: EventLog;
  readonly #files: readonly string[];
  readonly #ticketKeys: TicketKeys | null;
  #material: TlsMaterial;
  /** What the files looked like when they were read, and at the last look. */
  #read: string;
  #seen: string | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** Throws an Error of one line when a file cannot be used. */
  constructor(config: TlsConfig, log: EventLog) {
    const { httpsAddr, ticketKeysFile } = config.server;
    this.#config = config;
    this.#log = log;
    this.#files = tlsFiles(config);
    this.#ticketKeys =
      httpsAddr.length === 0 ? null : new TicketKeys(ticketKeysFile ?? join(runtimeDirectory(), 'ticket-keys'), log);
    // Before they are read: what changes meanwhile is seen at the first look.
    this.#read = stateNow(this.#files);
    this.#material = this.#readAll();
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** Looks at the files from now on; `use` is given what is different, and resolves when it is in use. */
  watch(use: UseTls): void {
    if (this.#files.length === 0) return;
    this.#timer = setInterval(() => void this.look(use), LOOK_EVERY_MS);
    this.#timer.unref();
    void this.look(use);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** One look. A certificate and its key are two files: they are read when both have stopped changing. */
  async look(use: UseTls): Promise<void> {
    const previous = this.#seen;
    const seen = await stateOf(this.#files);
    this.#seen = seen;
    const changed = seen !== this.#read && seen === previous && this.#reread(seen);
    const rotated = this.#ticketKeys?.rotateIfDue() ?? false;
    if (rotated) this.#renewTicketKeys();
    if (!changed && !rotated) return;
    await use(this.#material);
    if (changed) this.#log.info('certificates-reloaded', { files: this.#files.length });
    if (rotated) this.#log.info('ticket-keys-rotated');
  }

  /** Returns false when the new files cannot be used and the old ones stay. */
  #reread(seen: string): boolean {
    this.#read = seen;
    try {
      this.#material = this.#readAll();
      return true;
    } catch (error) {
      this.#log.error('certificates-kept', { reason: (error as Error).message });
      return false;
    }
  }

  #readAll(): TlsMaterial {
    return readTlsMaterial(this.#config, this.#ticketKeys?.current ?? new Uint8Array(0));
  }

  #renewTicketKeys(): void {
    const { server, upstreams } = this.#material;
    if (server === null || this.#ticketKeys === null) return;
    this.#material = { server: { ...server, ticketKeys: this.#ticketKeys.current }, upstreams };
  }
}
