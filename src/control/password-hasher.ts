import { Worker } from 'node:worker_threads';

export interface HashRequest {
  readonly hash: string;
  readonly password: string;
}

export interface HashAnswer {
  readonly holds: boolean;
  /** Why it cannot be told; null when it can. */
  readonly failure: string | null;
}

/** Hashes one password after the other; answers come in the order of the requests. */
export interface PasswordHasher {
  /** Why it ended. Never rejects. */
  readonly gone: Promise<string>;
  hash(request: HashRequest): void;
  end(): void;
}

/** The source runs as it is, the package as JavaScript. */
const THREAD = new URL(`./password-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** Buffers, and what argon2 takes, do not count here. */
const MAX_HEAP_MB = 64;

/** A thread that hashes. The process ends without it. */
export function startPasswordThread(answer: (answer: HashAnswer) => void): PasswordHasher {
  const thread = new Worker(THREAD, {
    name: 'photon-passwords',
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  thread.unref();
  thread.on('message', answer);
  const { promise: gone, resolve } = Promise.withResolvers<string>();
  thread.once('error', (error: Error) => resolve(error.message));
  thread.once('exit', (code) => resolve(`exit code ${code}`));
  return {
    gone,
    hash: (request) => thread.postMessage(request),
    end: () => void thread.terminate(),
  };
}
