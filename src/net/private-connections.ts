import type { UpstreamConnection, UpstreamConnectionOwner } from './upstream-connection.ts';

/**
 * The connections to upstreams that belong to one client connection, because they have carried its credentials. They are closed with
 * it; one that is in use then is cancelled by its exchange, and is not kept when it becomes idle.
 */
export class PrivateConnections {
  /** In the order in which they became private. */
  readonly #connections: UpstreamConnection[] = [];
  /** The client connection is gone. */
  closed = false;

  add(connection: UpstreamConnection): void {
    this.#connections.push(connection);
  }

  delete(connection: UpstreamConnection): void {
    const at = this.#connections.indexOf(connection);
    if (at !== -1) this.#connections.splice(at, 1);
  }

  /** The newest one of this pool that can carry another stream; null if there is none. */
  findIdle(owner: UpstreamConnectionOwner): UpstreamConnection | null {
    return this.#connections.findLast((each) => each.owner === owner && each.streams < each.capacity) ?? null;
  }

  close(): void {
    this.closed = true;
    for (const connection of this.#connections) if (connection.streams === 0) connection.close();
  }
}
