/** The one thread of the process that hashes passwords: whatever it takes, nobody else waits for it. */
import { parentPort } from 'node:worker_threads';
import { parsePasswordHash } from '../base/password-hash.ts';
import { isPasswordOf } from '../middleware/auth/basic/is-password-of.ts';
import type { HashAnswer, HashRequest } from './password-hasher.ts';

parentPort?.on('message', (request: HashRequest) => post(answerTo(request)));

function post(answer: HashAnswer): void {
  parentPort?.postMessage(answer);
}

function answerTo({ hash, password }: HashRequest): HashAnswer {
  try {
    return { holds: isPasswordOf(parsePasswordHash(hash), password), failure: null };
  } catch (error) {
    // Such as no memory for argon2.
    return { holds: false, failure: error instanceof Error ? error.message : String(error) };
  }
}
