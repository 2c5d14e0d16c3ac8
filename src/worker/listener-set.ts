import type { ListenerPlan } from '../messages/to-worker.ts';
import { bindErrorFrom, formatSource, type OpenAddress } from '../net/binding.ts';
import type { AfterEvents } from '../net/gathered-events.ts';
import { type AcceptedSocket, type Listener, openListener, ReservedAddress } from '../net/listener.ts';
import type { Transport } from '../net/transport.ts';

/** Connections that wait at a new address until the configuration that has it is served: a moment later. Others are closed. */
const MAX_WAITING = 512;

/** What the system lets wait at one listener, as long as `listen` is not given another number (Node: `backlog`). */
const BACKLOG = 511;

/** What a set of listeners is given to work with. */
export interface ListenerSetContext {
  readonly transport: Transport;
  readonly afterEvents: AfterEvents;
  accept(socket: AcceptedSocket, secure: boolean): void;
  acceptFailed(error: Error): void;
}

/**
 * One listener.
 *
 *   bound --open()--> listening --serve()--> serving --retire()--> closed
 *      \__________________\____________________\______close()____> closed
 */
class Entry {
  readonly plan: ListenerPlan;
  state: 'bound' | 'listening' | 'serving' | 'closed' = 'bound';
  /** Whether TLS is spoken there. */
  secure: boolean;
  readonly #context: ListenerSetContext;
  readonly #reserved: ReservedAddress | null;
  #listener: Listener | null = null;
  /** Connections that came while it was listening. */
  #waiting: AcceptedSocket[] = [];
  /** How many connections have come. */
  #accepted = 0;

  /** Without `reserved`, the address is bound when it opens. */
  constructor(context: ListenerSetContext, plan: ListenerPlan, reserved: ReservedAddress | null) {
    this.plan = plan;
    this.secure = plan.secure;
    this.#context = context;
    this.#reserved = reserved;
  }

  /** Rejects with a BindError. */
  async open(): Promise<OpenAddress> {
    const { source } = this.plan;
    const accept = (socket: AcceptedSocket) => this.#accept(socket);
    try {
      const listener = await openListener(this.#context.transport, this.#reserved?.take() ?? source, accept);
      listener.onFailure((error) => this.#context.acceptFailed(error));
      this.#listener = listener;
    } catch (error) {
      throw bindErrorFrom(error, formatSource(source));
    }
    // It may have been closed meanwhile.
    if (this.state === 'bound') this.state = 'listening';
    else this.#listener.close();
    return this.#listener.address;
  }

  #accept(socket: AcceptedSocket): void {
    this.#accepted++;
    if (this.state === 'serving') {
      this.#context.accept(socket, this.secure);
    } else if (this.state === 'closed' || this.#waiting.length >= MAX_WAITING) {
      socket.destroy();
    } else {
      // One that is reset while it waits must not end the worker.
      socket.on('error', ignore);
      this.#waiting.push(socket);
    }
  }

  serve(): void {
    this.state = 'serving';
    for (const socket of this.#waiting) if (!socket.destroyed) this.#context.accept(socket, this.secure);
    this.#waiting = [];
  }

  /**
   * Closes when no connection waits in its backlog any more, where the system has accepted them in our name and would reset them. The event
   * loop accepts at least one in each of its turns.
   */
  async retire(): Promise<void> {
    const end = this.#accepted + BACKLOG;
    let before = -1;
    while (this.state === 'serving' && this.#accepted !== before && this.#accepted < end) {
      before = this.#accepted;
      await this.#turnOfEvents();
    }
    this.close();
  }

  /** The first of the two is at the end of the turn that has begun. */
  #turnOfEvents(): Promise<void> {
    const { afterEvents } = this.#context;
    return new Promise((resolve) => afterEvents(() => afterEvents(resolve, undefined), undefined));
  }

  close(): void {
    this.state = 'closed';
    this.#reserved?.release();
    this.#listener?.close();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting = [];
  }
}

/**
 * The listeners of a worker, by their addresses. An address that is in the next configuration too stays open; what is spoken there changes
 * with the commit.
 *
 *   serving --bind()--> bound --open()--> open --commit()--> serving the next ones
 *      ^                  \________________\
 *      +------------------discard()---------+
 */
export class ListenerSet {
  readonly #context: ListenerSetContext;
  #serving: ReadonlyMap<string, Entry> = new Map();
  /** What serves with the next commit; null when nothing changes. */
  #next: ReadonlyMap<string, { readonly entry: Entry; readonly secure: boolean }> | null = null;
  readonly #retiring = new Set<Entry>();

  constructor(context: ListenerSetContext) {
    this.#context = context;
  }

  /**
   * These serve with the next commit. Binds those that are new, and returns how many. Throws a BindError when one of them cannot be bound,
   * and then nothing has changed.
   */
  bind(wanted: readonly ListenerPlan[]): number {
    this.discard();
    const fresh: Entry[] = [];
    try {
      const next = wanted.map((plan) => {
        const entry = this.#serving.get(plan.key) ?? new Entry(this.#context, plan, new ReservedAddress(plan.source));
        if (entry.state === 'bound') fresh.push(entry);
        return [plan.key, { entry, secure: plan.secure }] as const;
      });
      this.#next = new Map(next);
    } catch (error) {
      for (const entry of fresh) entry.close();
      throw error;
    }
    return fresh.length;
  }

  /** Has those that were bound listen; connections wait for the commit. Rejects with a BindError. */
  async open(): Promise<void> {
    const entries = [...(this.#next?.values() ?? [])].map(({ entry }) => entry);
    await Promise.all(entries.filter(({ state }) => state === 'bound').map((entry) => entry.open()));
  }

  /** Resolves when the listeners that are not wanted any more are closed. */
  async commit(): Promise<void> {
    if (this.#next === null) return;
    const [before, next] = [this.#serving, this.#next];
    this.#serving = new Map([...next].map(([key, { entry }]) => [key, entry]));
    this.#next = null;
    for (const { entry, secure } of next.values()) {
      entry.secure = secure;
      if (entry.state !== 'closed') entry.serve();
    }
    await this.#retire([...before].flatMap(([key, entry]) => (next.has(key) ? [] : [entry])));
  }

  async #retire(entries: readonly Entry[]): Promise<void> {
    const retired = entries.map(async (entry) => {
      this.#retiring.add(entry);
      await entry.retire();
      this.#retiring.delete(entry);
    });
    await Promise.all(retired);
  }

  /** Gives up what was bound and opened. */
  discard(): void {
    for (const { entry } of this.#next?.values() ?? []) if (entry.state !== 'serving') entry.close();
    this.#next = null;
  }

  /** Opens one more, which serves at once. Rejects with a BindError. */
  async add(plan: ListenerPlan): Promise<OpenAddress> {
    const entry = new Entry(this.#context, plan, null);
    const address = await entry.open();
    this.#serving = new Map([...this.#serving, [plan.key, entry]]);
    entry.serve();
    return address;
  }

  /** Resolves when nothing is accepted any more. What waits in backlogs is accepted before; connections that are open stay. */
  async retire(): Promise<void> {
    this.discard();
    await this.#retire([...this.#serving.values()]);
  }

  /** Accepts nothing more from now on; connections that are open stay. */
  close(): void {
    this.discard();
    for (const entry of [...this.#serving.values(), ...this.#retiring]) entry.close();
  }
}

function ignore(): void {
  // It is destroyed, which `serve` sees.
}
