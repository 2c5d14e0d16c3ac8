import type { ListenAddress, ServerConfig } from '../config/config.ts';
import { bindAddresses } from '../net/bind.ts';
import { type Binding, formatAddress } from '../net/binding.ts';

/** An address that is held, and what is spoken there. */
export interface PlannedListener {
  /** Names it among the listeners of a worker. */
  readonly key: string;
  readonly binding: Binding;
  readonly secure: boolean;
}

/** What a configuration wants of the listeners that another one had. Either `commit` or `abandon` ends it. */
export interface ListenerChange {
  /** All that are to be open. */
  readonly all: readonly PlannedListener[];
  readonly opened: readonly PlannedListener[];
  readonly closed: readonly PlannedListener[];
  /** Gives back the addresses that are not wanted any more. */
  commit(): void;
  /** Gives back the addresses that were taken for it. */
  abandon(): void;
}

/** The addresses of the gateway. One that stays in the configuration stays bound, so that no connection is lost. */
export class Listeners {
  /** By `nameOf` the configured address, which may stand for several. */
  #bound: ReadonlyMap<string, readonly Binding[]> = new Map();
  #open: readonly PlannedListener[] = [];

  get open(): readonly PlannedListener[] {
    return this.#open;
  }

  /** Binds what is new in `server`. Throws a BindError when an address cannot be had, and then nothing has changed. */
  async prepare({ httpAddr, httpsAddr }: ServerConfig): Promise<ListenerChange> {
    const wanted = [
      ...httpAddr.map((address) => ({ address, secure: false })),
      ...httpsAddr.map((address) => ({ address, secure: true })),
    ];
    const names = wanted.map(nameOf);
    const bound = await this.#bind(
      wanted.map(({ address }) => address),
      names,
    );
    const all = wanted.flatMap(({ secure }, index) =>
      (bound.get(names[index] as string) ?? []).map((binding) => planned(binding, secure)),
    );
    const known = new Map(this.#open.map((listener) => [listener.key, listener]));
    const keys = new Set(all.map(({ key }) => key));
    return {
      all,
      opened: all.filter(({ key }) => !known.has(key)),
      closed: this.#open.filter(({ key }) => !keys.has(key)),
      commit: () => {
        this.#release(bound);
        this.#bound = bound;
        this.#open = all;
      },
      abandon: () => release(bound, this.#bound),
    };
  }

  /** Gives all addresses back. */
  close(): void {
    release(this.#bound, new Map());
    this.#bound = new Map();
    this.#open = [];
  }

  async #bind(
    addresses: readonly ListenAddress[],
    names: readonly string[],
  ): Promise<ReadonlyMap<string, readonly Binding[]>> {
    const bound = new Map<string, readonly Binding[]>();
    try {
      for (const [index, address] of addresses.entries()) {
        const name = names[index] as string;
        bound.set(name, this.#bound.get(name) ?? (await bindAddresses([address])));
      }
    } catch (error) {
      release(bound, this.#bound);
      throw error;
    }
    return bound;
  }

  #release(kept: ReadonlyMap<string, readonly Binding[]>): void {
    release(this.#bound, kept);
  }
}

/** The same address stays bound when it changes its scheme. Port 0 is another port each time that it is written. */
function nameOf(
  { address, secure }: { readonly address: ListenAddress; readonly secure: boolean },
  index: number,
): string {
  const { path, port, text } = address;
  return path === null && port === 0 ? `${secure} ${index} ${text}` : text;
}

function planned(binding: Binding, secure: boolean): PlannedListener {
  return { key: `${secure ? 'https' : 'http'} ${formatAddress(binding.address)}`, binding, secure };
}

/** Releases the bindings of `from` that are not in `kept`. */
function release(from: ReadonlyMap<string, readonly Binding[]>, kept: ReadonlyMap<string, readonly Binding[]>): void {
  for (const [name, bindings] of from) {
    if (!kept.has(name)) for (const binding of bindings) binding.release();
  }
}
