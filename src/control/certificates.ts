import { join } from 'node:path';
import type { TlsMaterial } from '../messages/to-worker.ts';
import { Change } from './change.ts';
import type { EventLog } from './event-log.ts';
import { stateNow, stateOf } from './file-state.ts';
import { runtimeDirectory } from './runtime-directory.ts';
import type { SerialQueue } from './serial-queue.ts';
import { TicketKeys } from './ticket-keys.ts';
import { readTlsMaterial, type TlsConfig, tlsFiles } from './tls-material.ts';

/** How often the files are looked at. A watch does not see every way in which secrets are mounted, and a look costs nothing. */
const LOOK_EVERY_MS = 1000;

/** Resolves with true if the material is in use, and with false if it is no longer wanted. Rejects if it cannot be used. */
type UseTls = (material: TlsMaterial) => Promise<boolean>;

/**
 * The certificates and keys of one configuration. They are read again when their files change. The keys of session tickets are replaced every
 * day.
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
  /** The material that is in use. */
  #material: TlsMaterial;
  /** The state of the files when they were read, and at the last look. */
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
    // This comes before the files are read, so that the first look sees a change in between.
    this.#read = stateNow(this.#files);
    this.#material = this.#readAll();
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** Looks at the files from now on, and calls `use` with the new material when they have changed. */
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

  /** Looks once. A certificate and its key are two files: they are read when both have stopped changing. */
  async look(use: UseTls): Promise<void> {
    // The material that the look before has found may still wait until it can be used.
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

/** What `ServedCertificates` is given to work with. */
export interface CertificatesContext {
  readonly log: EventLog;
  /** New material waits in this queue until no change of the configuration is under way. */
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

  /** Goes over to the certificates of `config`. `prepare` reads their files, and throws an Error of one line if one cannot be used. */
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
    // If another configuration has been committed in between, it has read the files itself.
    return this.#current === certificates && this.#context.use(material);
  }

  close(): void {
    this.#current?.close();
    this.#current = null;
  }
}
