/*
 * Fields that the gateway writes itself, by their names in lower case. Each of them has one value, or one list that the gateway has put together:
 * whoever finds two fields of the name may read either. So they can be set, which replaces what is there, and never be added.
 */

/** In requests to upstreams. */
export const OWN_REQUEST_FIELDS: ReadonlySet<string> = new Set([
  'host',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-client-cert-subject',
  'x-request-id',
]);

/** In every reply that no upstream made: one given by somebody else cannot take their place. */
export const OWN_ANSWER_FIELDS: ReadonlySet<string> = new Set(['date', 'via', 'x-request-id']);

/** In replies, where something in the configuration asks for them, or the upstream has none. */
export const OWN_RESPONSE_FIELDS: ReadonlySet<string> = new Set([
  ...OWN_ANSWER_FIELDS,
  'access-control-allow-credentials',
  'access-control-allow-origin',
  'access-control-max-age',
  'content-type',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
]);
