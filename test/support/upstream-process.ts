import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Scope } from '../control/photon-process.ts';

const PROGRAM = fileURLToPath(new URL('./upstream-program.ts', import.meta.url));

/** Requests are told apart by this field. */
export const REQUEST_ID_FIELD = 'x-test-request';

export const REPLY_BODY = 'hello from a process of its own';

/** What the program says through the IPC channel. */
export type UpstreamReport = { readonly port: number } | { readonly received: string };

/**
 * An HTTP upstream in a process of its own, which can be killed and frozen; see `upstream-program.ts` for what it answers. What it
 * has received is counted here, so that the count outlives it.
 */
export class UpstreamProcess {
  #child: ChildProcess | null = null;
  port = 0;
  /** How often each request has come, by its id. */
  readonly received = new Map<string, number>();
  readonly #arrivals = new EventEmitter().setMaxListeners(0);

  /** Runs until the scope ends. */
  static async start(t: Scope): Promise<UpstreamProcess> {
    const upstream = new UpstreamProcess();
    t.after(() => upstream.kill());
    await upstream.restart();
    return upstream;
  }

  get requests(): number {
    return this.received.values().reduce((total, times) => total + times, 0);
  }

  /** A new process on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    const child = fork(PROGRAM, [String(this.port)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    const listening = Promise.withResolvers<number>();
    child.on('message', (report: UpstreamReport) => {
      if ('port' in report) listening.resolve(report.port);
      else this.#count(report.received);
    });
    child.once('exit', () => listening.reject(new Error('The upstream ended before it listened.')));
    this.port = await listening.promise;
  }

  /** Resolves when the request with this id comes. */
  async receives(id: string): Promise<void> {
    await once(this.#arrivals, id);
  }

  #count(id: string): void {
    this.received.set(id, (this.received.get(id) ?? 0) + 1);
    this.#arrivals.emit(id);
  }

  /** SIGKILL, which ends a frozen process too. Resolves when it is gone and all that it has said has come. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
    child.kill('SIGKILL');
    await gone;
  }

  /** Takes connections, as far as its queue goes, and does nothing else. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }
}

/** The ids of requests that have come more than once, wherever to. */
export function repeatedRequests(upstreams: readonly UpstreamProcess[]): string[] {
  const times = new Map<string, number>();
  for (const { received } of upstreams) {
    for (const [id, count] of received) times.set(id, (times.get(id) ?? 0) + count);
  }
  return [...times].filter(([, count]) => count > 1).map(([id, count]) => `${id}: ${count} times`);
}
