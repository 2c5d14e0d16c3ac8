import { usualAddress } from '../base/address.ts';
import { FieldGroup, type FieldPair } from '../base/field-group.ts';
import type { IpRanges } from '../base/ip-range.ts';
import type { FieldList } from '../http/field-list.ts';
import { FIELD } from '../http/field-names.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { DownstreamPeer } from '../net/streams.ts';
import type { ExchangeContext } from './exchange-context.ts';
import type { Generation } from './generation.ts';
import { addTraceFields, traceFieldsOf } from './trace-fields.ts';

const NO_FIELDS = new FieldGroup([]);
const FORWARDED_FOR = new FieldGroup([], 'X-Forwarded-For');
const FORWARDED_PROTO = new FieldGroup([], 'X-Forwarded-Proto');
const FORWARDED_HOST = new FieldGroup([], 'X-Forwarded-Host');
const FORWARDED_PORT = new FieldGroup([], 'X-Forwarded-Port');

/** The facts about a peer that hold for as long as its connection lasts. */
class PeerIdentity {
  /** The trusted proxies that decided `trusted`. The generation itself is not kept: an idle connection would hold an old one in memory. */
  readonly trustedProxies: IpRanges;
  readonly trusted: boolean;
  readonly address: string;
  /** The field that names the certificate of the peer; none for a peer without. */
  readonly certificate: FieldGroup;
  /** For a peer that is not trusted and asks for `host` in HTTP/1.x (`versionMinor`): all fields that the gateway adds. */
  ownFields: FieldGroup = NO_FIELDS;
  host: string | null = null;
  versionMinor = 1;

  constructor(peer: DownstreamPeer, generation: Generation) {
    this.trustedProxies = generation.trustedProxies;
    this.address = peer.address;
    this.certificate = certificateField(peer);
    this.trusted = generation.trustedProxies.includes(peer.address);
  }
}

/** Settles the address of the client. A peer that is not a trusted proxy is the client itself, whatever its fields say. */
export function settleClient(exchange: ExchangeContext, generation: Generation): void {
  const { trusted, address } = identityOf(peerOf(exchange), generation);
  exchange.peerTrusted = trusted;
  exchange.clientAddress = trusted
    ? clientOf(exchange.request.combinedValue('x-forwarded-for'), address, generation)
    : address;
}

/**
 * Adds the fields that every request to an upstream gets: those about the client (`X-Forwarded-For`, `-Proto`, `-Host`, `-Port`), which extend
 * those of a trusted proxy and replace those of any other peer, `X-Client-Cert-Subject`, which is only about the certificate of this
 * connection, and those that trace the request.
 */
export function addOwnFields(fields: FieldList, exchange: ExchangeContext, generation: Generation): void {
  const { request, id } = exchange;
  const peer = peerOf(exchange);
  const identity = identityOf(peer, generation);
  const host = writtenHost(exchange);
  if (identity.trusted) {
    addFieldsBehindProxy(fields, request, peer, host);
    fields.addGroup(identity.certificate);
    addTraceFields(fields, request.versionMinor, id);
    return;
  }
  if (identity.host !== host || identity.versionMinor !== request.versionMinor)
    rememberOwnFields(identity, peer, host, request.versionMinor);
  fields.addGroup(identity.ownFields, id);
}

/** All that is new in the next request of the peer is its id, unless it asks for another host. */
function rememberOwnFields(identity: PeerIdentity, peer: DownstreamPeer, host: string, versionMinor: number): void {
  const trace = traceFieldsOf(versionMinor);
  identity.host = host;
  identity.versionMinor = versionMinor;
  identity.ownFields = new FieldGroup(
    [...fieldsOfPeer(peer, host), ...identity.certificate.pairs, ...trace.pairs],
    trace.openName,
  );
}

/** The request came over TLS: to us, or, as a trusted proxy says, to the proxy. */
export function cameSecurely(exchange: ExchangeContext): boolean {
  const { scheme } = peerOf(exchange);
  const proxied = exchange.peerTrusted ? lastValue(exchange.request, FIELD.X_FORWARDED_PROTO) : null;
  return (proxied ?? scheme).toLowerCase() === 'https';
}

function certificateField({ certificateSubject }: DownstreamPeer): FieldGroup {
  return certificateSubject === null ? NO_FIELDS : new FieldGroup([['X-Client-Cert-Subject', certificateSubject]]);
}

function peerOf(exchange: ExchangeContext): DownstreamPeer {
  // Sound: `downstream` is set before an exchange begins.
  return (exchange.downstream as NonNullable<typeof exchange.downstream>).peer;
}

function identityOf(peer: DownstreamPeer, generation: Generation): PeerIdentity {
  // Sound: only this file writes `identity`.
  const known = peer.identity as PeerIdentity | null;
  if (known !== null && known.trustedProxies === generation.trustedProxies) return known;
  const identity = new PeerIdentity(peer, generation);
  peer.identity = identity;
  return identity;
}

function addFieldsBehindProxy(fields: FieldList, request: RequestHead, peer: DownstreamPeer, host: string): void {
  const chain = request.combinedValue('x-forwarded-for');
  const forwardedHost = lastValue(request, FIELD.X_FORWARDED_HOST) ?? host;
  fields.addGroup(FORWARDED_FOR, chain === undefined ? peer.address : `${chain}, ${peer.address}`);
  fields.addGroup(FORWARDED_PROTO, lastValue(request, FIELD.X_FORWARDED_PROTO) ?? peer.scheme);
  if (forwardedHost !== '') fields.addGroup(FORWARDED_HOST, forwardedHost);
  fields.addGroup(FORWARDED_PORT, lastValue(request, FIELD.X_FORWARDED_PORT) ?? String(peer.localPort));
}

function fieldsOfPeer({ address, scheme, localPort }: DownstreamPeer, host: string): readonly FieldPair[] {
  return [
    ['X-Forwarded-For', address],
    ['X-Forwarded-Proto', scheme],
    ...(host === '' ? [] : [['X-Forwarded-Host', host] as const]),
    ['X-Forwarded-Port', String(localPort)],
  ];
}

/**
 * Reads `X-Forwarded-For` from right to left while the hops are trusted: the first hop that is not trusted is the client. An entry that is
 * no address ends the search: the entries left of it do not count either.
 */
function clientOf(chain: string | undefined, peerAddress: string, generation: Generation): string {
  let client = peerAddress;
  const hops = chain?.split(',') ?? [];
  for (let at = hops.length - 1; at >= 0 && generation.trustedProxies.includes(client); at--) {
    const hop = addressOfHop((hops[at] as string).trim());
    if (hop === null) break;
    client = hop;
  }
  return client;
}

/** Some proxies write a port behind the address, and IPv6 in brackets. */
const HOP = /^(?:\[([^\]]*)\]|([\d.]*))(?::\d{1,5})?$/;

function addressOfHop(text: string): string | null {
  const match = HOP.exec(text);
  return usualAddress(match === null ? text : (match[1] ?? match[2] ?? ''));
}

function lastValue(request: RequestHead, number: number): string | null {
  for (let field = request.count - 1; field >= 0; field--) {
    if (request.number(field) === number) return request.value(field);
  }
  return null;
}

/** The host as the client wrote it, empty when it named none. */
function writtenHost(exchange: ExchangeContext): string {
  return exchange.target.authority ?? exchange.request.host ?? '';
}
