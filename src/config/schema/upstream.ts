import { z } from 'zod';
import { serverName } from '../http-option-types.ts';
import { duration, filePath, flag, oneOf, upstreamAddress, wholeNumber } from '../option-types.ts';
import { MAX_COUNT } from './bounds.ts';

const tcpKeepalive = z
  .strictObject({
    enabled: flag().describe('Whether the system probes idle connections.').prefault(true),
    idle: duration().describe('Time without traffic before the first probe.').prefault('60s'),
    interval: duration().describe('Time between two probes.').prefault('10s'),
    count: wholeNumber(1, 100).describe('Unanswered probes after which a connection counts as dead.').prefault(9),
  })
  .describe('TCP keepalive probes on connections to the upstream.');

export const upstream = z
  .strictObject({
    address: upstreamAddress().describe('Host and port of the server, or unix:/path.'),
    weight: wholeNumber(0, 1_000_000)
      .describe('Share of the traffic compared with the other upstreams; 0 takes it out of service.')
      .prefault(1),
    tls: flag().describe('Whether to speak TLS with the upstream.').prefault(false),
    sni_hostname: serverName()
      .describe("The name to ask for and to verify in the TLS handshake; by default the address's host.")
      .optional(),
    tls_verify: flag().describe("Whether the upstream's certificate must be valid.").prefault(true),
    tls_ca: filePath().describe('PEM file with the authorities to trust instead of the usual ones.').optional(),
    tls_cert: filePath().describe('PEM file with the certificate chain to show when the upstream asks.').optional(),
    tls_key: filePath().describe('PEM file with the private key of that certificate.').optional(),
    max_connections: wholeNumber(1, MAX_COUNT)
      .describe('The most connections to this upstream, busy and idle, over all workers. By default there is no limit.')
      .optional(),
    tcp_keepalive: tcpKeepalive.prefault({}),
    send_proxy_protocol: oneOf(['v1', 'v2'])
      .describe('Begins each connection with a PROXY header of this version; then no two clients share a connection.')
      .optional(),
    connection_timeout: duration().describe('How long opening a connection may take.').prefault('5s'),
    read_timeout: duration().describe('The longest silence while a reply to the whole request is due.').prefault('30s'),
    write_timeout: duration().describe('How long the upstream may go without taking a byte.').prefault('30s'),
  })
  .describe('One server.');
