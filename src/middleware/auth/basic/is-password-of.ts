import * as crypto from 'node:crypto';
import bcrypt from 'bcryptjs';
import { sameSecret } from '../../../base/constant-time.ts';
import type { PasswordHash } from '../../../base/password-hash.ts';
import { shaCrypt } from './sha-crypt.ts';

/** bcrypt looks at no more: what is longer would be as good as its beginning. */
const MAX_BCRYPT_BYTES = 72;

/** Whether a hash is that of a password. It takes long, and that is its purpose: only for a thread with nothing else to do. */
export function isPasswordOf(hash: PasswordHash, password: string): boolean {
  const bytes = Buffer.from(password, 'utf8');
  switch (hash.kind) {
    case 'bcrypt':
      // The hashes that others make end a password at a NUL.
      return bytes.length <= MAX_BCRYPT_BYTES && !bytes.includes(0) && bcrypt.compareSync(password, hash.text);
    case 'argon2':
      return sameSecret(argon2(hash, bytes), hash.tag);
    case 'sha-crypt': {
      const digest = shaCrypt(hash.algorithm, hash.rounds, hash.salt, bytes);
      return sameSecret(Buffer.from(digest, 'latin1'), Buffer.from(hash.digest, 'latin1'));
    }
    case 'sha256':
      return sameSecret(crypto.hash('sha256', bytes, 'buffer'), hash.digest);
  }
}

function argon2(hash: Extract<PasswordHash, { kind: 'argon2' }>, message: Buffer): Buffer {
  const { algorithm, memoryKiB: memory, passes, parallelism, salt: nonce, tag } = hash;
  return crypto.argon2Sync(algorithm, { message, nonce, parallelism, tagLength: tag.length, memory, passes });
}
