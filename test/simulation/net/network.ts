import { Random } from '../../support/random.ts';
import type { World } from '../world.ts';
import { ECONNREFUSED, Endpoint } from './endpoint.ts';
import { Link } from './link.ts';
import { Pipe, type PipeNature } from './pipe.ts';

/** What a connection's way is like. */
export interface LinkNature {
  readonly toGateway: PipeNature;
  readonly fromGateway: PipeNature;
  /** Time until the other side learns that it is dialled, and again until this side learns of the answer. */
  readonly dialMs: number;
  /** Draws the segments. */
  readonly seed: number;
}

/** Who listens at an address. */
export interface Listening {
  /** What becomes of a connection that arrives now. */
  admission(): 'accept' | 'refuse' | 'ignore';
  /** What its way is like; asked when it is dialled. */
  nature(): LinkNature;
  accept(endpoint: Endpoint, link: Link): void;
}

export interface Dialling {
  readonly link: Link;
  cancel(): void;
}

/** All connections of a run: those of clients to the gateway, and those of the gateway to upstreams. */
export class Network {
  readonly #world: World;
  readonly #listening = new Map<string, Listening>();
  readonly links: Link[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  listen(address: string, listening: Listening): void {
    this.#listening.set(address, listening);
  }

  /** Nobody listens there any more. */
  unlisten(address: string): void {
    this.#listening.delete(address);
  }

  /** A client dials a worker. `opened` is told of its end, or of an error. */
  dialGateway(
    row: number,
    client: string,
    nature: LinkNature,
    opened: (endpoint: Endpoint | number) => void,
  ): Dialling {
    const link = this.#newLink(client, row);
    return this.#dial(link, `gateway:${row}`, nature, 'host', opened);
  }

  /** A worker dials an upstream. */
  dialUpstream(row: number, address: string, opened: (endpoint: Endpoint | number) => void): Dialling {
    const link = this.#newLink(address, row);
    const nature = this.#listening.get(address)?.nature() ?? UNKNOWN_WAY;
    return this.#dial(link, address, nature, 'gateway', opened);
  }

  #newLink(peer: string, row: number): Link {
    const link = new Link(this.#world, this.links.length, peer, row);
    this.links.push(link);
    return link;
  }

  #dial(
    link: Link,
    address: string,
    nature: LinkNature,
    dialler: 'gateway' | 'host',
    opened: (endpoint: Endpoint | number) => void,
  ): Dialling {
    let cancelled = false;
    const answer = (outcome: Endpoint | number) => {
      this.#world.after(nature.dialMs, 'dialled', () => {
        if (cancelled) return;
        link.learntMs = this.#world.nowMs;
        opened(outcome);
      });
    };
    this.#world.after(nature.dialMs, 'dial', () => {
      if (cancelled) return;
      const listening = this.#listening.get(address);
      const admission = listening?.admission() ?? 'refuse';
      if (listening === undefined || admission === 'refuse') {
        link.failure = 'refused';
        answer(ECONNREFUSED);
        return;
      }
      if (admission === 'ignore') {
        link.failure = 'ignored';
        return;
      }
      const { gatewayEnd, hostEnd } = this.#connect(nature);
      link.opened(gatewayEnd, hostEnd);
      const [mine, theirs] = dialler === 'gateway' ? [gatewayEnd, hostEnd] : [hostEnd, gatewayEnd];
      listening.accept(theirs, link);
      answer(mine);
    });
    const cancel = () => {
      cancelled = true;
      link.closedMs = Math.min(link.closedMs, this.#world.nowMs);
      const mine = dialler === 'gateway' ? link.gatewayEnd : link.hostEnd;
      if (mine === null) link.failure ??= 'given up';
      else mine.close();
    };
    return { link, cancel };
  }

  #connect({ toGateway, fromGateway, seed }: LinkNature): { gatewayEnd: Endpoint; hostEnd: Endpoint } {
    const random = new Random(seed);
    const incoming = new Pipe(this.#world, random.fork(), toGateway);
    const outgoing = new Pipe(this.#world, random.fork(), fromGateway);
    return {
      gatewayEnd: new Endpoint(this.#world, incoming, outgoing),
      hostEnd: new Endpoint(this.#world, outgoing, incoming),
    };
  }
}

const ORDINARY: PipeNature = { capacityBytes: 65_536, latencyMs: 0, segmentBytes: 65_536, keepsOnReset: true };
const UNKNOWN_WAY: LinkNature = { toGateway: ORDINARY, fromGateway: ORDINARY, dialMs: 0, seed: 1 };
