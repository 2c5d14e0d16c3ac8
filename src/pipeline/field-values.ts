import { FieldList } from '../http/field-list.ts';
import { FIELD, numberOfName } from '../http/field-names.ts';
import { FRAMING } from '../http/framing.ts';
import { isRewritten, namedHopByHopFields, REQUEST_DROPS } from '../http/hop-by-hop.ts';
import { passingValue } from '../http/passing-value.ts';
import { addOwnFields } from './client-identity.ts';
import type { ExchangeContext } from './exchange-context.ts';

/*
 * The values of request fields for rules that decide by them. The gateway writes some fields itself: the values that a client sends in
 * those never go upstream, so they do not count anywhere else either.
 */

/**
 * The value of a field that a client may send, by its name in lower case, before any middleware. Fields with claims of tokens
 * (`forward_claims`) are not known yet, and count as absent.
 */
export function receivedValue({ request, generation }: ExchangeContext, lowerCaseName: string): string | undefined {
  if (generation?.claimFields?.hasName(lowerCaseName)) return undefined;
  if (request.namesHopByHopFields && namedHopByHopFields(request).has(lowerCaseName)) return undefined;
  return request.combinedValue(lowerCaseName);
}

/** Empty between calls. */
const ownFields = new FieldList();

/**
 * The value of a field that the gateway writes (`isRewritten`), as it goes upstream before any middleware; undefined if it does not go
 * upstream.
 */
export function ownValue(exchange: ExchangeContext, lowerCaseName: string): string | undefined {
  const { generation } = exchange;
  if (lowerCaseName === 'host') return writtenHost(exchange) ?? undefined;
  if (generation === null) return undefined;
  addOwnFields(ownFields, exchange, generation);
  const value = ownFields.combinedValue(lowerCaseName);
  ownFields.clear();
  return value;
}

/** The value of a field (by its name in lower case) as it goes upstream, as far as the middleware has come; undefined also for a Host that depends on the upstream. */
export function outgoingValue(exchange: ExchangeContext, lowerCaseName: string): string | undefined {
  const { request, requestDrops, requestAdditions } = exchange;
  switch (numberOfName(lowerCaseName)) {
    case FIELD.HOST:
      return exchange.attempts > 0 ? exchange.outgoingAuthority : (settledAuthority(exchange) ?? undefined);
    case FIELD.CONTENT_LENGTH:
      return request.framing === FRAMING.LENGTH ? String(request.contentLength) : undefined;
    case FIELD.TRANSFER_ENCODING:
      return request.framing === FRAMING.CHUNKED ? 'chunked' : undefined;
  }
  const passing = passingValue(request, lowerCaseName, REQUEST_DROPS, requestDrops);
  const added = requestAdditions.combinedValue(lowerCaseName);
  return passing === undefined || added === undefined ? (passing ?? added) : `${passing}, ${added}`;
}

/**
 * The value of a field to choose an upstream by: as it goes upstream, or as it came, for credentials and other fields that the route
 * removes. Nothing is trusted because of this value.
 */
export function keyValue(exchange: ExchangeContext, lowerCaseName: string): string | undefined {
  const outgoing = outgoingValue(exchange, lowerCaseName);
  if (outgoing !== undefined || isRewritten(lowerCaseName)) return outgoing;
  const isTakenOut = exchange.route?.chain.requestDrops?.hasName(lowerCaseName) ?? false;
  return isTakenOut ? receivedValue(exchange, lowerCaseName) : undefined;
}

/** The Host that goes upstream, if it is the same for every upstream; null: each gets its own. */
export function settledAuthority(exchange: ExchangeContext): string | null {
  if (exchange.hostSet !== null) return exchange.hostSet;
  const upstreamHost = exchange.route?.upstreamHost ?? 'preserve';
  if (typeof upstreamHost === 'object') return upstreamHost.name;
  return upstreamHost === 'preserve' ? writtenHost(exchange) : null;
}

/** RFC 9112 3.2.2: the authority of an absolute-form target replaces Host. */
function writtenHost({ target, request }: ExchangeContext): string | null {
  return target.authority ?? request.host;
}
