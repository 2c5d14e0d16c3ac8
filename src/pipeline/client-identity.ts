import { usualAddress } from '../base/address.ts';
import type { IpRanges } from '../base/ip-range.ts';
import { flatText } from '../base/latin1.ts';
import { FIELD } from '../http/field-names.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { DownstreamPeer } from '../net/streams.ts';
import type { Exchange } from './exchange.ts';
import type { Generation } from './generation.ts';

/** The facts about a peer that hold for as long as its connection lasts. */
class PeerIdentity {
  /** The trusted proxies that decided `trusted`. The generation itself is not kept: an idle connection would hold an old one in memory. */
  readonly trustedProxies: IpRanges;
  readonly trusted: boolean;
  readonly address: string;
  /** The line that names the certificate of the peer; empty for one without. */
  readonly certificateLine: string;
  /** `X-Forwarded-*` lines for a peer that is not trusted and asks for `host`. */
  forwardedLines = '';
  host: string | null = null;

  constructor(peer: DownstreamPeer, generation: Generation) {
    this.trustedProxies = generation.trustedProxies;
    this.address = peer.address;
    this.certificateLine = certificateLine(peer);
    this.trusted = generation.trustedProxies.includes(peer.address);
  }
}

/** Settles the address of the client. A peer that is not a trusted proxy is the client itself, whatever its fields say. */
export function settleClient(exchange: Exchange, generation: Generation): void {
  const { trusted, address } = identityOf(peerOf(exchange), generation);
  exchange.peerTrusted = trusted;
  exchange.clientAddress = trusted
    ? clientOf(exchange.request.combinedValue('x-forwarded-for'), address, generation)
    : address;
}

/**
 * The lines about the client for the upstream (`X-Forwarded-For`, `-Proto`, `-Host`, `-Port`). They extend those of a trusted proxy, and
 * replace those of any other peer. `X-Client-Cert-Subject` is only about the certificate of this connection.
 */
export function forwardedLinesFor(exchange: Exchange, generation: Generation): string {
  const peer = peerOf(exchange);
  const identity = identityOf(peer, generation);
  const host = writtenHost(exchange);
  if (identity.trusted) return linesBehindProxy(exchange.request, peer, host) + identity.certificateLine;
  if (identity.host !== host) {
    identity.host = host;
    const lines = forwardedLines(peer.address, peer.scheme, host, String(peer.localPort));
    identity.forwardedLines = flatText(lines + identity.certificateLine);
  }
  return identity.forwardedLines;
}

/** The request came over TLS: to us, or, as a trusted proxy says, to the proxy. */
export function cameSecurely(exchange: Exchange): boolean {
  const { scheme } = peerOf(exchange);
  const proxied = exchange.peerTrusted ? lastValue(exchange.request, FIELD.X_FORWARDED_PROTO) : null;
  return (proxied ?? scheme).toLowerCase() === 'https';
}

function certificateLine({ certificateSubject }: DownstreamPeer): string {
  return certificateSubject === null ? '' : `X-Client-Cert-Subject: ${certificateSubject}\r\n`;
}

function peerOf(exchange: Exchange): DownstreamPeer {
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

function linesBehindProxy(request: RequestHead, peer: DownstreamPeer, host: string): string {
  const chain = request.combinedValue('x-forwarded-for');
  return forwardedLines(
    chain === undefined ? peer.address : `${chain}, ${peer.address}`,
    lastValue(request, FIELD.X_FORWARDED_PROTO) ?? peer.scheme,
    lastValue(request, FIELD.X_FORWARDED_HOST) ?? host,
    lastValue(request, FIELD.X_FORWARDED_PORT) ?? String(peer.localPort),
  );
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
function writtenHost(exchange: Exchange): string {
  return exchange.target.authority ?? exchange.request.host ?? '';
}

function forwardedLines(chain: string, scheme: string, host: string, port: string): string {
  const hostLine = host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`;
  return `X-Forwarded-For: ${chain}\r\nX-Forwarded-Proto: ${scheme}\r\n${hostLine}X-Forwarded-Port: ${port}\r\n`;
}
