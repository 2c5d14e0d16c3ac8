import { z } from 'zod';
import { parsePasswordHash } from '../../../base/password-hash.ts';
import { fieldValue } from '../../http-option-types.ts';
import { filePath, flag, parsedText } from '../../option-types.ts';

const MAX_USER_BYTES = 255;
const USER_NAME = /^[^:\p{Cc}]+$/u;

/** RFC 7617 2: a colon would end it. */
export const userNameWanted = `a user name without a colon, of at most ${MAX_USER_BYTES} bytes`;

export const isUserName = (text: string): boolean => USER_NAME.test(text) && Buffer.byteLength(text) <= MAX_USER_BYTES;

/** A password as it is would be one that everybody who reads the file can use. */
const passwordHash = () =>
  parsedText(
    'the hash of a password: bcrypt ($2b$), argon2 ($argon2id$), sha-crypt ($5$, $6$) or {SHA256}',
    [],
    (text) => {
      parsePasswordHash(text);
      return text;
    },
    /^\$2[aby]\$|^\$argon2|^\$[56]\$|^\{SHA256\}/,
  );

export const basic = z
  .strictObject({
    users: z
      .record(z.string().refine(isUserName, { error: userNameWanted }), passwordHash(), {
        error: 'a mapping of user names to hashes of passwords',
      })
      .describe('The users, each with the hash of the password.')
      .optional(),
    htpasswd: filePath().describe('A file with users and hashes, as htpasswd makes it.').optional(),
    realm: fieldValue()
      .refine((text) => !/["\\]/.test(text), { error: 'a text without quotes and backslashes' })
      .describe('What the password is for, in the words of the browser.')
      .prefault('Photon'),
    strip: flag().describe('Whether the password is taken out of what goes upstream.').prefault(true),
  })
  .describe('User name and password (RFC 7617).');
