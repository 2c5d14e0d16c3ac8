import { type Clock, monotonicClock } from '../base/clock.ts';
import type { FetchedKeySet } from '../messages/to-worker.ts';
import { KEY_SET_COOLDOWN_MS, KeySet } from '../middleware/auth/jwt/key-set.ts';
import { Change } from './change.ts';
import type { EventLog } from './event-log.ts';
import { fetchText } from './fetch-text.ts';

/** How often keys are fetched when no worker asks for them. A key that its issuer withdraws goes out of use by this. */
const REFRESH_MS = 300_000;
/** After a failure, while there are keys to go on with. */
const RETRY_MS = 60_000;
const TICK_MS = 1000;

const LIMITS = { timeoutMs: 5000, maxBytes: 262_144 };

/** The keys of one URL. */
class CachedKeySet implements FetchedKeySet {
  readonly url: string;
  text: string | null = null;
  begunMs = Number.NEGATIVE_INFINITY;
  failed = false;
  fetching = false;

  constructor(url: string) {
    this.url = url;
  }

  isDue(nowMs: number): boolean {
    const waitMs = this.text === null ? KEY_SET_COOLDOWN_MS : this.failed ? RETRY_MS : REFRESH_MS;
    return !this.fetching && nowMs - this.begunMs >= waitMs;
  }

  mayFetch(nowMs: number): boolean {
    return !this.fetching && nowMs - this.begunMs >= KEY_SET_COOLDOWN_MS;
  }
}

/** `read` gets a text by its URL; a test puts another one in its place. */
export interface KeySetFetcherOptions {
  readonly clock?: Clock;
  readonly read?: (url: string, closing: AbortSignal) => Promise<string>;
}

/**
 * Fetches the keys of issuers, once for all workers, and publishes them to the workers.
 *
 *   wanted --use()--> fetching --well--> good ---5 min, or asked for--> fetching
 *                       ^  \--badly--> as before, log ---10 s without keys, 1 min with---^
 *
 * Invariant: of one URL at most one fetch is under way, and at least KEY_SET_COOLDOWN_MS lie between the beginnings of two.
 */
export class KeySetFetcher {
  readonly #log: EventLog;
  readonly #publish: (keySet: FetchedKeySet) => void;
  readonly #clock: Clock;
  readonly #read: (url: string, closing: AbortSignal) => Promise<string>;
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #sets = new Map<string, CachedKeySet>();

  /** `publish` is called after every fetch, and as the answer to every question. */
  constructor(log: EventLog, publish: (keySet: FetchedKeySet) => void, options: KeySetFetcherOptions = {}) {
    const { clock = monotonicClock, read = (url, closing) => fetchText(url, LIMITS, closing) } = options;
    this.#log = log;
    this.#publish = publish;
    this.#clock = clock;
    this.#read = read;
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Fetches the keys of these URLs from now on, and of no others. After `close`, it does nothing. */
  use(urls: readonly string[]): void {
    if (this.#closing.signal.aborted) return;
    this.#sets = new Map(urls.map((url) => [url, this.#sets.get(url) ?? new CachedKeySet(url)]));
    this.tick();
  }

  /** Goes over to the keys of these URLs. Until all workers have gone over, the keys of both configurations are fetched. */
  change(urls: readonly string[]): Change {
    return new Change('the key sets', {
      prepare: () => undefined,
      commit: () => this.use([...this.#sets.keys(), ...urls]),
      finish: () => this.use(urls),
    });
  }

  /** The keys that are known so far. */
  get current(): readonly FetchedKeySet[] {
    return [...this.#sets.values()].map(publicPartOf);
  }

  /** A worker asks for newer keys. Every question is answered: when the fetch is over, or at once where there is none. */
  want(url: string): void {
    const cached = this.#sets.get(url);
    if (cached?.mayFetch(this.#clock.nowMs())) void this.#fetch(cached);
    else if (cached === undefined) this.#publish({ url, text: null, failed: false });
    else if (!cached.fetching) this.#publish(publicPartOf(cached));
  }

  /** Lets time pass: fetches what is due. */
  tick(): void {
    const nowMs = this.#clock.nowMs();
    for (const cached of this.#sets.values()) if (cached.isDue(nowMs)) void this.#fetch(cached);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#sets.clear();
    this.#closing.abort();
  }

  async #fetch(cached: CachedKeySet): Promise<void> {
    cached.fetching = true;
    cached.begunMs = this.#clock.nowMs();
    try {
      const text = await this.#read(cached.url, this.#closing.signal);
      const found = KeySet.parse(text);
      if (found === null) throw new Error('it is no set of keys');
      if (text !== cached.text) this.#log.info('key-set-fetched', { url: cached.url, keys: found.size });
      cached.text = text;
      cached.failed = false;
    } catch (error) {
      cached.failed = true;
      this.#logFailed(cached, error as Error);
    } finally {
      cached.fetching = false;
    }
    this.#publish(publicPartOf(cached));
  }

  #logFailed({ url, text }: CachedKeySet, { message, cause }: Error): void {
    if (this.#closing.signal.aborted) return;
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    this.#log.warn(text === null ? 'key-set-missing' : 'key-set-kept', { url, reason });
  }
}

const publicPartOf = ({ url, text, failed }: CachedKeySet): FetchedKeySet => ({ url, text, failed });
