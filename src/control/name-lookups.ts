import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { NameQuestion, ResolverMessage } from './resolve-names.ts';

/** The source runs as it is, the package as JavaScript. */
const PROGRAM = new URL(`./resolve-names${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** Resolvers try for longer than anybody wants to wait for a warning. */
const BOUND_MS = 2000;
/** How long the process may take to start, which is no fault of a name; longer than it takes on the busiest machine. */
const START_BOUND_MS = 60_000;
/** The most look-ups at a time that a runtime allows; each takes a thread while it waits. */
const MAX_THREADS = 128;

/**
 * Those of the names (of services behind `srv:`) that do not resolve within `boundMs` milliseconds, all looked up at the same time: by
 * the DNS servers, or by the system for null. `program`: what does it, see resolve-names.ts.
 */
export async function findUnresolvedNames(
  names: ReadonlySet<string>,
  servers: readonly string[] | null = null,
  program: URL = PROGRAM,
  boundMs: number = BOUND_MS,
): Promise<ReadonlySet<string>> {
  if (names.size === 0) return names;
  const unresolved = new Set(names);
  const threads = Math.max(availableParallelism(), Math.min(names.size, MAX_THREADS));
  const resolver = fork(program, {
    env: { ...process.env, UV_THREADPOOL_SIZE: String(threads) },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // No debugger for every local user.
    execArgv: ['--disable-sigusr1'],
  });
  const giveUp = () => resolver.kill('SIGKILL');
  let timer = setTimeout(giveUp, START_BOUND_MS);
  resolver.on('message', (message: ResolverMessage) => {
    if (message === 'asking') {
      clearTimeout(timer);
      timer = setTimeout(giveUp, boundMs);
    } else if (message.resolves) unresolved.delete(message.name);
  });
  const ended = once(resolver, 'close');
  resolver.send({ names: [...names], servers } satisfies NameQuestion);
  await ended;
  clearTimeout(timer);
  return unresolved;
}
