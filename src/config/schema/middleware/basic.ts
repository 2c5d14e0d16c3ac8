import { z } from 'zod';
import { fieldValue } from '../../http-option-types.ts';
import { filePath } from '../../option-types.ts';

const hashWanted = 'the hash of a password: bcrypt ($2b$), argon2 ($argon2id$), sha-crypt ($5$, $6$) or {SHA256}';

/** A password as it is would be one that everybody who reads the file can use. */
const HASH = /^(?:\$2[aby]\$\d\d\$.{53}|\$argon2(?:id|i|d)\$.+|\$[56]\$.+|\{SHA256\}.+)$/;

export const basic = z
  .strictObject({
    users: z
      .record(
        z.string().regex(/^[^:\p{Cc}]+$/u, { error: 'a user name without a colon' }),
        z.string({ error: hashWanted }).regex(HASH, { error: hashWanted }),
        { error: 'a mapping of user names to hashes of passwords' },
      )
      .describe('The users, each with the hash of the password.')
      .optional(),
    htpasswd: filePath().describe('A file with users and hashes, as htpasswd makes it.').optional(),
    realm: fieldValue()
      .refine((text) => !/["\\]/.test(text), { error: 'a text without quotes and backslashes' })
      .describe('What the password is for, in the words of the browser.')
      .prefault('Photon'),
  })
  .describe('User name and password (RFC 7617).');
