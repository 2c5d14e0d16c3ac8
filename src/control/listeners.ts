import type { ServerConfig } from '../config/config.ts';
import type { ListenAddress } from '../config/option-types.ts';
import { Binder } from '../net/bind.ts';
import { type Binding, formatAddress } from '../net/binding.ts';

/** An address that is held, and what is spoken there. */
export interface PlannedListener {
  /** The address, which names it among the listeners of a worker. */
  readonly key: string;
  readonly binding: Binding;
  readonly secure: boolean;
}

/** What a configuration changes in the listeners. Either `commit` or `abandon` ends it. */
export interface ListenerChange {
  /** All that are to serve. */
  readonly all: readonly PlannedListener[];
  /** Those that are new, or speak something else from the commit on. */
  readonly opened: readonly PlannedListener[];
  readonly closed: readonly PlannedListener[];
  /** Gives back the addresses that are not wanted any more. */
  commit(): void;
  /** Gives back the addresses that were taken for it. */
  abandon(): void;
}

/** An address of the configuration. */
interface WantedListener {
  readonly address: ListenAddress;
  readonly secure: boolean;
}

/** The same, with what it stands for: a name may stand for several addresses. */
interface HeldListener extends WantedListener {
  readonly bindings: readonly Binding[];
}

/** The addresses of the gateway. One that stays in the configuration stays bound, so that no connection is lost, whatever is spoken there. */
export class Listeners {
  #held: readonly HeldListener[] = [];

  get open(): readonly PlannedListener[] {
    return plan(this.#held);
  }

  /** Binds what is new in `server`. Throws a BindError when an address cannot be had, and then nothing has changed. */
  async prepare({ httpAddr, httpsAddr }: ServerConfig): Promise<ListenerChange> {
    const wanted = [
      ...httpAddr.map((address) => ({ address, secure: false })),
      ...httpsAddr.map((address) => ({ address, secure: true })),
    ];
    const before = this.#held;
    const held = await bindMissing(wanted, before);
    const [all, open] = [plan(held), plan(before)];
    return {
      all,
      opened: all.filter(({ key, secure }) => !open.some((each) => each.key === key && each.secure === secure)),
      closed: open.filter(({ key }) => !all.some((each) => each.key === key)),
      commit: () => {
        this.#held = held;
        release(before, held);
      },
      abandon: () => release(held, before),
    };
  }

  /** Gives all addresses back. */
  close(): void {
    release(this.#held, []);
    this.#held = [];
  }
}

async function bindMissing(wanted: readonly WantedListener[], before: readonly HeldListener[]) {
  const kept = keep(wanted, before);
  const inUse = new Set(kept.flatMap((listener) => listener?.bindings ?? []));
  // An address may be written in another way, or be one of those that a name stood for.
  const binder = new Binder(bindingsOf(before).filter((binding) => !inUse.has(binding)));
  const held: HeldListener[] = [];
  try {
    for (const [index, listener] of wanted.entries()) {
      const bindings = kept[index]?.bindings ?? (await binder.bind(listener.address));
      held.push({ ...listener, bindings });
    }
  } catch (error) {
    binder.release();
    throw error;
  }
  return held;
}

/**
 * For each that is wanted the one of before with the same address, if there is one: first that which speaks the same, since port 0 is another
 * port each time that it is written.
 */
function keep(
  wanted: readonly WantedListener[],
  before: readonly HeldListener[],
): readonly (HeldListener | undefined)[] {
  const left = new Set(before);
  const take = ({ address, secure }: WantedListener, anyScheme: boolean) => {
    const name = formatAddress(address);
    const found = [...left].find(
      (each) => formatAddress(each.address) === name && (anyScheme || each.secure === secure),
    );
    if (found !== undefined) left.delete(found);
    return found;
  };
  const same = wanted.map((listener) => take(listener, false));
  return wanted.map((listener, index) => same[index] ?? take(listener, true));
}

const bindingsOf = (held: readonly HeldListener[]): readonly Binding[] => held.flatMap(({ bindings }) => bindings);

function plan(held: readonly HeldListener[]): readonly PlannedListener[] {
  return held.flatMap(({ bindings, secure }) => bindings.map((binding) => ({ key: binding.key, binding, secure })));
}

/** Releases the bindings of `from` that are not in `kept`. */
function release(from: readonly HeldListener[], kept: readonly HeldListener[]): void {
  const stay = new Set(bindingsOf(kept));
  for (const binding of bindingsOf(from)) if (!stay.has(binding)) binding.release();
}
