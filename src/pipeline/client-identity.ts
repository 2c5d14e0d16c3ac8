import { FIELD } from '../http/field-names.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { DownstreamPeer } from '../net/streams.ts';
import type { Exchange } from './exchange.ts';
import type { Generation } from './generation.ts';

/** What is known of a peer for as long as its connection lasts. */
class PeerIdentity {
  /** The generation whose trusted proxies decided. */
  readonly generation: Generation;
  readonly trusted: boolean;
  readonly address: string;
  /** `X-Forwarded-*` lines for a peer that is not trusted, for `host`. */
  forwardedLines = '';
  host: string | null = null;

  constructor(peer: DownstreamPeer, generation: Generation) {
    this.generation = generation;
    this.address = peer.address;
    this.trusted = generation.trustedProxies.includes(peer.address);
  }
}

/**
 * Settles who the client is and writes the lines that tell the upstream (`X-Forwarded-For`, `-Proto`, `-Host`, `-Port`). From a
 * peer that is not a trusted proxy nothing is believed: it is the client, and what it claimed is replaced.
 */
export function settleClient(exchange: Exchange, generation: Generation): void {
  // Sound: nobody else writes `identity`, and `downstream` is set before an exchange begins.
  const peer = (exchange.downstream as NonNullable<typeof exchange.downstream>).peer;
  let identity = peer.identity as PeerIdentity | null;
  if (identity === null || identity.generation !== generation) {
    identity = new PeerIdentity(peer, generation);
    peer.identity = identity;
  }
  exchange.peerTrusted = identity.trusted;
  if (identity.trusted) {
    settleBehindProxy(exchange, generation, peer);
    return;
  }
  const written = writtenHost(exchange);
  if (identity.host !== written) {
    identity.host = written;
    identity.forwardedLines = forwardedLines(peer.address, peer.scheme, written, String(peer.localPort));
  }
  exchange.clientAddress = identity.address;
  exchange.forwardedLines = identity.forwardedLines;
}

function settleBehindProxy(exchange: Exchange, generation: Generation, peer: DownstreamPeer): void {
  const { request } = exchange;
  const chain = request.combinedValue('x-forwarded-for');
  exchange.clientAddress = clientOf(chain, peer.address, generation);
  exchange.forwardedLines = forwardedLines(
    chain === undefined ? peer.address : `${chain}, ${peer.address}`,
    lastValue(request, FIELD.X_FORWARDED_PROTO) ?? peer.scheme,
    lastValue(request, FIELD.X_FORWARDED_HOST) ?? writtenHost(exchange),
    lastValue(request, FIELD.X_FORWARDED_PORT) ?? String(peer.localPort),
  );
}

/** Right to left through `X-Forwarded-For` for as long as the hop is trusted: the first that is not is the client. */
function clientOf(chain: string | undefined, peerAddress: string, generation: Generation): string {
  let client = peerAddress;
  const hops = chain?.split(',') ?? [];
  for (let at = hops.length - 1; at >= 0 && generation.trustedProxies.includes(client); at--) {
    client = (hops[at] as string).trim();
  }
  return client;
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
