import type { ServerConfig } from '../config/config.ts';
import type { ListenAddress } from '../config/option-types.ts';
import { Binder } from '../net/bind.ts';
import { type Binding, formatAddress } from '../net/binding.ts';
import { Change } from './change.ts';

/** An address that is bound, and the protocol of its clients. */
export interface PlannedListener {
  /** The address. It is the name of the listener in a worker. */
  readonly key: string;
  readonly binding: Binding;
  readonly secure: boolean;
}

/** An address of the configuration. */
interface WantedListener {
  readonly address: ListenAddress;
  readonly secure: boolean;
}

/** The same with its bindings. A name may stand for several addresses, each with a binding of its own. */
interface HeldListener extends WantedListener {
  readonly bindings: readonly Binding[];
}

/** How the listeners change from one configuration to another. */
export interface ListenerChange {
  /** All listeners of the new configuration. */
  readonly all: readonly PlannedListener[];
  /** The listeners that are new, or go over to the other protocol. */
  readonly opened: readonly PlannedListener[];
  readonly closed: readonly PlannedListener[];
}

/** The addresses of the gateway. An address that stays in the configuration stays bound, even if its protocol changes: no connection is lost. */
export class Listeners {
  #held: readonly HeldListener[] = [];

  get open(): readonly PlannedListener[] {
    return plan(this.#held);
  }

  /**
   * Goes over to the addresses of `server`. `prepare` binds the addresses that are new, and rejects with a BindError if it cannot. The commit
   * releases the addresses that are gone.
   */
  change(server: ServerConfig): Change<ListenerChange> {
    const before = this.#held;
    return new Change('the listeners', {
      prepare: async () => {
        const held = await bindMissing(wantedListeners(server), before);
        return { held, ...compare(plan(before), plan(held)) };
      },
      commit: ({ held }) => {
        this.#held = held;
        release(before, held);
      },
      abandon: ({ held }) => release(held, before),
    });
  }

  /** Releases all addresses. */
  close(): void {
    release(this.#held, []);
    this.#held = [];
  }
}

function wantedListeners({ httpAddr, httpsAddr }: ServerConfig): readonly WantedListener[] {
  return [
    ...httpAddr.map((address) => ({ address, secure: false })),
    ...httpsAddr.map((address) => ({ address, secure: true })),
  ];
}

function compare(before: readonly PlannedListener[], all: readonly PlannedListener[]): ListenerChange {
  return {
    all,
    opened: all.filter(({ key, secure }) => !before.some((each) => each.key === key && each.secure === secure)),
    closed: before.filter(({ key }) => !all.some((each) => each.key === key)),
  };
}

async function bindMissing(wanted: readonly WantedListener[], before: readonly HeldListener[]) {
  const kept = keep(wanted, before);
  const inUse = new Set(kept.flatMap((listener) => listener?.bindings ?? []));
  // The same address may now be written in another way, for example as a name that stands for it.
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
 * Finds for each wanted listener the former one with the same address. A former listener with the same protocol is preferred, because port 0
 * stands for another port each time that it is written.
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
