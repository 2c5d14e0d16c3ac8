import { timingSafeEqual } from 'node:crypto';

/**
 * Whether two secrets are the same. How long it takes tells nothing of where they differ, only that their lengths do: what has no fixed
 * length is compared by its digest. The one place where secrets are compared.
 */
export function sameSecret(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The same for text, by its bytes in UTF-8: in latin1 characters would be cut down to others. */
export function sameSecretText(one: string, other: string): boolean {
  return sameSecret(Buffer.from(one), Buffer.from(other));
}
