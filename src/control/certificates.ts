import { join } from 'node:path';
import type { TlsMaterial } from '../messages/to-worker.ts';
import { Change } from './change.ts';
import type { EventLog } from './event-log.ts';
import { stateNow, stateOf } from './file-state.ts';
import { runtimeDirectory } from './runtime-directory.ts';
import type { SerialQueue } from './serial-queue.ts';
import { TicketKeys } from './ticket-keys.ts';
import { readTlsMaterial, type TlsConfig, tlsFiles } from './tls-material.ts';

/** How often the files are looked at. Secrets are mounted in ways that no watch sees; asking costs nothing. */
const LOOK_EVERY_MS = 1000;

/** Resolves with false when it is not wanted any more. */
type UseTls = (material: TlsMaterial) => Promise<boolean>;

/**
 * Certificates and keys as they are now: read again when their files change, the keys of session tickets made anew every day.
 *
 *   unchanged --a file changed--> settling --nothing changed since the last look--> read again
 *       ^                            | ^ \__another change__/                          | good, and used: the new ones
 *       \____________________________________________________________________________/ else: the old ones stay
 */
export class Certificates {
  readonly #config: TlsConfig;
  readonly #log: EventLog;
  readonly #files: readonly string[];
  readonly #ticketKeys: TicketKeys | null;
  /** What is in use. */
  #material: TlsMaterial;
  /** What the files looked like when they were read, and at the last look. */
  #read: string;
  #seen: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  /** Throws an Error of one line when a file cannot be used. */
  constructor(config: TlsConfig, log: EventLog) {
    const { httpsAddr, tlsTicketKeys } = config.server;
    this.#config = config;
    this.#log = log;
    this.#files = tlsFiles(config);
    this.#ticketKeys =
      httpsAddr.length === 0 ? null : new TicketKeys(tlsTicketKeys ?? join(runtimeDirectory(), 'ticket-keys'), log);
    // Before they are read: what changes meanwhile is seen at the first look.
    this.#read = stateNow(this.#files);
    this.#material = this.#readAll();
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** Looks at the files from now on; `use` is given what is different, resolves when it is in use, and rejects when it cannot be used. */
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
    // What the look before has found may still wait until it can be used.
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#lookOnce(use);
    } finally {
      this.#looking = false;
    }
  }

  async #lookOnce(use: UseTls): Promise<void> {
    const previous = this.#seen;
    const seen = await stateOf(this.#files);
    this.#seen = seen;
    const read = seen !== this.#read && seen === previous ? this.#reread(seen) : null;
    const rotated = this.#ticketKeys?.rotateIfDue() ?? false;
    if (read === null && !rotated) return;
    if (!(await this.#use(this.#withTicketKeys(read ?? this.#material), use))) return;
    if (read !== null) this.#log.info('certificates-reloaded', { files: this.#files.length });
    if (rotated) this.#log.info('ticket-keys-rotated');
  }

  async #use(material: TlsMaterial, use: UseTls): Promise<boolean> {
    try {
      const used = await use(material);
      if (used) this.#material = material;
      return used;
    } catch (error) {
      this.#logKept(error);
      return false;
    }
  }

  /** Null when the new files cannot be used. */
  #reread(seen: string): TlsMaterial | null {
    this.#read = seen;
    try {
      return this.#readAll();
    } catch (error) {
      this.#logKept(error);
      return null;
    }
  }

  #logKept(error: unknown): void {
    this.#log.error('certificates-kept', { reason: (error as Error).message });
  }

  #readAll(): TlsMaterial {
    return readTlsMaterial(this.#config, this.#ticketKeys?.current ?? new Uint8Array(0));
  }

  #withTicketKeys({ server, upstreams }: TlsMaterial): TlsMaterial {
    if (server === null || this.#ticketKeys === null) return { server, upstreams };
    return { server: { ...server, ticketKeys: this.#ticketKeys.current }, upstreams };
  }
}

/** What the certificates that are served are given to work with. */
export interface CertificatesContext {
  readonly log: EventLog;
  /** New certificates wait there until they can be used. */
  readonly queue: Pick<SerialQueue, 'run'>;
  readonly use: UseTls;
}

/** The certificates of the configuration that is served. */
export class ServedCertificates {
  readonly #context: CertificatesContext;
  #current: Certificates | null = null;

  constructor(context: CertificatesContext) {
    this.#context = context;
  }

  /** To those of a configuration. `prepare` throws an Error of one line if a file cannot be used. */
  change(config: TlsConfig): Change<Certificates> {
    return new Change('the certificates', {
      prepare: () => new Certificates(config, this.#context.log),
      commit: (next) => {
        this.close();
        this.#current = next;
        next.watch((material) => this.#context.queue.run(() => this.#use(next, material)));
      },
    });
  }

  async #use(certificates: Certificates, material: TlsMaterial): Promise<boolean> {
    // A configuration that came in between has read the files itself.
    return this.#current === certificates && this.#context.use(material);
  }

  close(): void {
    this.#current?.close();
    this.#current = null;
  }
}
