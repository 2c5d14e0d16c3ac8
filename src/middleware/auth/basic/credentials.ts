import { isUtf8 } from 'node:buffer';
import { MAX_PASSWORD_BYTES } from '../../../base/password-hash.ts';

/** RFC 7617 2: what a client shows. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** In bytes of UTF-8. */
const MAX_USER_BYTES = 255;

const SCHEME = 'basic';
const SPACE = 0x20;
/** Three bytes make four characters. */
const MAX_TOKEN_CHARS = Math.ceil((MAX_USER_BYTES + 1 + MAX_PASSWORD_BYTES) / 3) * 4;

const CONTROL = /\p{Cc}/u;

/** Whether a value of Authorization is of this scheme, in any case (RFC 9110 11.1). */
export function isBasic(value: string): boolean {
  if (value.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return false;
  return value.length === SCHEME.length || value.charCodeAt(SCHEME.length) === SPACE;
}

/**
 * What stands in a value of this scheme, or null. RFC 4648 3.3, 3.5 let a reader of base64 look over characters of no meaning and bits
 * left over. We refuse both: there is one spelling of what is shown, so that an upstream reads the same. So it is with what RFC 7617 2
 * rules out: control characters. The bytes are UTF-8, which our challenge asks for (RFC 7617 2.1).
 */
export function parseCredentials(value: string): Credentials | null {
  let at = SCHEME.length;
  // RFC 9110 11.4: any number of spaces.
  while (value.charCodeAt(at) === SPACE) at++;
  const token = value.slice(at);
  if (token.length > MAX_TOKEN_CHARS) return null;
  const bytes = Buffer.from(token, 'base64');
  if (bytes.toString('base64') !== token || !isUtf8(bytes)) return null;
  return splitAtColon(bytes.toString('utf8'));
}

/** The name ends at the first colon: there is none in it, while passwords may have some. */
function splitAtColon(text: string): Credentials | null {
  const colon = text.indexOf(':');
  if (colon === -1 || CONTROL.test(text)) return null;
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
  const fits = Buffer.byteLength(user) <= MAX_USER_BYTES && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
  return fits ? { user, password } : null;
}
