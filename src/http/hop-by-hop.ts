import { trimBlanks } from './characters.ts';
import { dropName } from './field-drops.ts';
import { FIELD, FIELD_COUNT, FIELD_NAMES, numberOfName } from './field-names.ts';
import type { Fields } from './fields.ts';

/**
 * Fields that describe one connection (RFC 9110 7.6.1) or the framing on it (RFC 9112 6): they never pass, each side's encoder
 * writes its own. `Trailer` passes, because trailers do.
 */
const HOP_BY_HOP: readonly number[] = [
  FIELD.CONNECTION,
  FIELD.CONTENT_LENGTH,
  FIELD.TRANSFER_ENCODING,
  FIELD.TE,
  FIELD.UPGRADE,
  FIELD.KEEP_ALIVE,
  FIELD.PROXY_CONNECTION,
  FIELD.PROXY_AUTHENTICATE,
  FIELD.PROXY_AUTHORIZATION,
  FIELD.HTTP2_SETTINGS,
];

/** Fields that the gateway writes anew for every upstream: what a client claims in them is worth nothing. */
const REWRITTEN_TOWARDS_UPSTREAM: readonly number[] = [
  FIELD.HOST,
  FIELD.X_FORWARDED_FOR,
  FIELD.X_FORWARDED_PROTO,
  FIELD.X_FORWARDED_HOST,
  FIELD.X_FORWARDED_PORT,
  FIELD.FORWARDED,
  FIELD.X_REQUEST_ID,
  FIELD.X_CLIENT_CERT_SUBJECT,
  FIELD.LOOKALIKE,
];

/** By number (`FIELD`): 1 when a field of a request does not pass to the upstream. */
export const REQUEST_DROPS: Uint8Array = dropTable([...HOP_BY_HOP, ...REWRITTEN_TOWARDS_UPSTREAM]);

/**
 * As `REQUEST_DROPS`, for a field of a request's trailers. RFC 9110 6.5.1: credentials do not belong there, and an upstream that merges
 * trailers into the head would take them for those that the gateway has checked.
 */
export const REQUEST_TRAILER_DROPS: Uint8Array = REQUEST_DROPS.with(FIELD.AUTHORIZATION, 1).with(FIELD.COOKIE, 1);

/** By number (`FIELD`): 1 for a field of a request that the gateway writes itself, or that upstreams may take for one that it knows. */
const REWRITTEN: Uint8Array = dropTable(REWRITTEN_TOWARDS_UPSTREAM);

/** Whether a field of this name (lower case) is one of those: what a client says in it counts nowhere. */
export function isRewritten(lowerCaseName: string): boolean {
  const number = numberOfName(lowerCaseName);
  return number === FIELD.OTHER ? isLookalike(lowerCaseName) : REWRITTEN[number] !== 0;
}

/** Whether a field of this name (lower case) is one that upstreams may take for another, and never passes (`FIELD.LOOKALIKE`). */
export function isLookalike(lowerCaseName: string): boolean {
  return lowerCaseName.includes('_') && numberOfName(dropName(lowerCaseName)) !== FIELD.OTHER;
}

/** As `REQUEST_DROPS`, for a request whose Host is right as it is. */
export const REQUEST_DROPS_BUT_HOST: Uint8Array = REQUEST_DROPS.with(FIELD.HOST, 0);

/** By number (`FIELD`): 1 when a field of a reply does not pass to the client. */
export const RESPONSE_DROPS: Uint8Array = dropTable([...HOP_BY_HOP, FIELD.X_REQUEST_ID]);

function dropTable(numbers: readonly number[]): Uint8Array {
  const table = new Uint8Array(FIELD_COUNT);
  for (const number of numbers) table[number] = 1;
  return table;
}

/** The lower-case names that the `Connection` fields of a message list: they go no further than this hop. */
export function namedHopByHopFields(fields: Fields): ReadonlySet<string> {
  const names = new Set<string>();
  const listed = fields.combinedValue('connection') ?? '';
  for (const name of listed.split(',')) names.add(trimBlanks(name).toLowerCase());
  return names;
}

const CONNECTION_NAMES: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP.map((number) => FIELD_NAMES[number] as string),
  'trailer',
]);

/**
 * Fields about one connection or the framing of messages (RFC 9110 7.6.1, RFC 9112 6), by their names in any spelling that counts as theirs. No
 * configuration and no middleware sets them: each side's encoder writes its own, and who could set them could smuggle.
 */
export function isConnectionField(name: string): boolean {
  return CONNECTION_NAMES.has(dropName(name));
}
