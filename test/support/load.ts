import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Scope } from '../control/photon-process.ts';
import { GUARD_MS, guarded } from './guard.ts';
import { REPLY_BODY, REQUEST_ID_FIELD } from './upstream-process.ts';

export interface LoadOptions {
  readonly port: number;
  /** What to ask for; it must be answered with the small reply. */
  readonly path: string;
  /** How many connections ask, each one request after the other. */
  readonly connections: number;
  /** A POST has a small body. */
  readonly method?: 'GET' | 'POST';
}

/** One request, and what became of it. */
export interface Outcome {
  readonly id: string;
  /** Null where no reply began. */
  readonly status: number | null;
  readonly retryAfter: string | null;
  /** Null for a reply that is complete; otherwise what the client saw. */
  readonly error: string | null;
  readonly body: string;
}

/** The most that one load asks, whatever its test does. */
const REQUESTS_MAX = 50_000;
/** After a failure, so that refusals do not become a busy loop. */
const PAUSE_MS = 10;

let loads = 0;

/** Clients that ask for the same small thing over kept connections, until they are stopped; every reply that is not right is kept. */
export class Load {
  readonly #target: Target;
  readonly #agent: Agent;
  readonly #running: Promise<unknown>;
  #stopped = false;
  #asked = 0;
  #awaited: { readonly replies: number; readonly reached: () => void } | null = null;
  /** Its requests are numbered: `NAME-1` and so on. */
  readonly name = `load-${++loads}`;
  /** Complete replies of status 200 with the right body. */
  replies = 0;
  readonly failures: Outcome[] = [];

  /** It begins at once, and ends with the scope at the latest. */
  constructor(t: Scope, { port, path, connections, method = 'GET' }: LoadOptions) {
    this.#target = { port, path, method };
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#running = Promise.all(Array.from({ length: connections }, () => this.#run()));
    t.after(() => this.stop());
  }

  /** Until so many more requests have been answered as they should be. */
  async answered(more: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { replies: this.replies + more, reached: resolve };
    await guarded(`${more} more replies`, promise, () => `${this.replies} so far, failed: ${this.describeFailures()}`);
  }

  /** Lets the requests that are under way come to their end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#agent.destroy();
  }

  /** The failures, alike ones together, with how many there were. */
  describeFailures(): string {
    const kinds = Map.groupBy(this.failures, ({ status, error, body }) =>
      error === null ? `${status} ${body.slice(0, 60)}` : `${error} after status ${status} and ${body.length} bytes`,
    );
    return [...kinds].map(([kind, each]) => `${each.length} x ${kind}`).join('; ') || 'none';
  }

  async #run(): Promise<void> {
    while (!this.#stopped && this.#asked < REQUESTS_MAX) {
      const outcome = await ask(this.#target, this.#nextId(), this.#agent);
      if (isRight(outcome)) {
        this.replies++;
        if (this.replies === this.#awaited?.replies) this.#awaited.reached();
      } else {
        this.failures.push(outcome);
        await pause(PAUSE_MS);
      }
    }
  }

  #nextId(): string {
    return `${this.name}-${++this.#asked}`;
  }
}

function isRight({ status, error, body }: Outcome): boolean {
  return error === null && status === 200 && body === REPLY_BODY;
}

/** What is asked, and of whom. */
export interface Target {
  readonly port: number;
  readonly path: string;
  readonly method?: 'GET' | 'POST';
}

/** One request. Never rejects. */
export async function ask(target: Target, id: string, agent: Agent | false = false): Promise<Outcome> {
  const { port, path, method = 'GET' } = target;
  const seen: { head: IncomingMessage | null; body: string } = { head: null, body: '' };
  const error = await new Promise<string | null>((resolve) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      agent,
      headers: { [REQUEST_ID_FIELD]: id },
    });
    const failed = (cause: NodeJS.ErrnoException) => resolve(cause.code ?? cause.message);
    sent.once('error', failed);
    sent.once('response', (head) => {
      seen.head = head;
      head.setEncoding('latin1').on('data', (text: string) => {
        seen.body += text;
      });
      head.once('error', failed).once('end', () => resolve(null));
    });
    sent.setTimeout(GUARD_MS, () => sent.destroy(new Error(`no reply within ${GUARD_MS} ms`)));
    sent.end(method === 'POST' ? 'a small body' : undefined);
  });
  return {
    id,
    status: seen.head?.statusCode ?? null,
    retryAfter: seen.head?.headers['retry-after'] ?? null,
    error,
    body: seen.body,
  };
}
