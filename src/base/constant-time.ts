import { timingSafeEqual } from 'node:crypto';

/**
 * Whether two secrets, or two digests of secrets, are the same. How long it takes says nothing but whether they have the same
 * length, which for digests is no secret.
 */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
