import { guarded } from './guard.ts';

/** How the other side ended the connection: with a FIN, or with a reset. */
export type Ending = 'end' | 'reset';

/** The bytes that a socket has received and that the test has not consumed yet, with waits on them. */
export class Inbox {
  #chunks: Buffer[] = [];
  #length = 0;
  #ending: Ending | null = null;
  #wake: (() => void)[] = [];
  /** All bytes that ever came, consumed or not. */
  totalBytes = 0;

  get length(): number {
    return this.#length;
  }

  get ending(): Ending | null {
    return this.#ending;
  }

  /** What is there, joined. */
  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.totalBytes += chunk.length;
    this.#changed();
  }

  end(ending: Ending): void {
    if (this.#ending === 'reset') return;
    this.#ending = ending;
    this.#changed();
  }

  /** Waits until at least `count` bytes are there and consumes exactly that many. */
  async take(count: number, what: string): Promise<Buffer> {
    await this.until(what, () => (this.#length >= count ? true : undefined));
    const { bytes } = this;
    this.#replace(bytes.subarray(count));
    return bytes.subarray(0, count);
  }

  /** Waits for `delimiter` and consumes up to and including it; the returned text leaves it out. */
  async takeThrough(delimiter: string, what: string): Promise<string> {
    const end = await this.until(what, () => {
      const at = this.bytes.indexOf(delimiter, 0, 'latin1');
      return at < 0 ? undefined : at;
    });
    const { bytes } = this;
    this.#replace(bytes.subarray(end + delimiter.length));
    return bytes.toString('latin1', 0, end);
  }

  /** Waits until the other side has ended and consumes the rest. */
  async takeToEnd(what: string): Promise<Buffer> {
    await this.until(what, () => (this.#ending === null ? undefined : true), { evenAfterEnd: true });
    const { bytes } = this;
    this.#replace(Buffer.alloc(0));
    return bytes;
  }

  /** Waits until `ready` gives a value; it is asked again after every byte and at the end. */
  async until<T>(what: string, ready: () => T | undefined, { evenAfterEnd = false } = {}): Promise<T> {
    const waitForIt = async (): Promise<T> => {
      for (;;) {
        const value = ready();
        if (value !== undefined) return value;
        if (this.#ending !== null && !evenAfterEnd) {
          throw new Error(`The connection was closed (${this.#ending}) before ${what}; ${this.describe()}`);
        }
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    };
    return guarded(what, waitForIt(), () => this.describe());
  }

  describe(): string {
    const shown = this.bytes.toString('latin1', 0, 600);
    const state = this.#ending === null ? 'open' : `closed by ${this.#ending}`;
    return `unread: ${this.#length} bytes ${JSON.stringify(shown)}, ${this.totalBytes} in all, ${state}`;
  }

  #replace(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
  }

  #changed(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
