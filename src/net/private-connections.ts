import type { H1Upstream, UpstreamOwner } from './h1-upstream.ts';

/**
 * The connections to upstreams that belong to one client connection, because they have carried its credentials. They are closed with
 * it; one that is in use then is cancelled by its exchange, and is not kept when it becomes idle.
 */
export class PrivateConnections {
  /** In the order in which they became private. */
  readonly #connections: H1Upstream[] = [];
  /** The client connection is gone. */
  closed = false;

  add(connection: H1Upstream): void {
    this.#connections.push(connection);
  }

  delete(connection: H1Upstream): void {
    const at = this.#connections.indexOf(connection);
    if (at !== -1) this.#connections.splice(at, 1);
  }

  /** The newest one to this upstream that no exchange uses; null when there is none. */
  findIdle(owner: UpstreamOwner): H1Upstream | null {
    return this.#connections.findLast((each) => each.owner === owner && !each.acquired && each.alive) ?? null;
  }

  close(): void {
    this.closed = true;
    for (const connection of this.#connections) if (!connection.acquired) connection.close();
  }
}
