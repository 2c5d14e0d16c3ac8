import { z } from 'zod';
import {
  dnsServer,
  duration,
  listOf,
  oneOf,
  oneOrMore,
  printableText,
  shareOrZero,
  wholeNumber,
} from '../option-types.ts';
import { circuitBreaker } from './circuit-breaker.ts';
import { backendHealthCheck } from './health-check.ts';
import { retryBackoff, retryBudget } from './retries.ts';
import { sticky } from './sticky.ts';
import { upstream } from './upstream.ts';

export const algorithm = oneOf([
  'round_robin',
  'least_connections',
  'weighted_round_robin',
  'ip_hash',
  'consistent_hash',
  'random',
  'power_of_two',
]).describe('How a backend chooses the upstream of a request.');

const hashKeyWanted = '"ip", "path", "header:NAME" or "cookie:NAME"';

export const queue = z
  .strictObject({
    size: wholeNumber(0, 100_000)
      .describe('The most requests that wait, over all workers; more get 503. With 0 none waits.')
      .prefault(64),
    timeout: duration().describe('How long a request waits; then 503.').prefault('1s'),
  })
  .describe('Where requests wait while every upstream has as many connections as it may.');

export const backend = z
  .strictObject({
    algorithm: algorithm.optional(),
    key: z
      .string({ error: hashKeyWanted })
      .regex(/^(?:ip|path|(?:header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/, { error: hashKeyWanted })
      .describe(`What consistent_hash hashes: ${hashKeyWanted}.`)
      .prefault('ip'),
    panic_threshold: shareOrZero()
      .describe(
        'Share of healthy upstreams below which health and breakers are ignored; 0 answers 503 when none is healthy.',
      )
      .prefault(0),
    upstreams: listOf(upstream, 'upstreams').describe('The servers of this backend.'),
    health_check: backendHealthCheck.optional(),
    circuit_breaker: circuitBreaker.prefault({}),
    retry_budget: retryBudget.prefault({}),
    retry_backoff: retryBackoff.prefault({}),
    sticky: sticky.optional(),
    slow_start: duration()
      .describe(
        'How long an upstream that comes (back) up takes to reach its whole share of the traffic; not with hashes. By default an upstream has its whole share at once.',
      )
      .optional(),
    queue: queue.prefault({}),
  })
  .describe('A named group of servers that can answer the same requests.');

const backendsWanted = 'a mapping of backend names to backends, not empty';

export const loadBalancing = z
  .strictObject({
    algorithm: algorithm.prefault('round_robin'),
    resolver: oneOrMore(dnsServer(), 'an address such as "10.0.0.2" or "10.0.0.2:53"')
      .describe(
        'The DNS servers to ask for the names of upstreams: an IP address with an optional port, or a list of them. By default those of the system.',
      )
      .optional(),
    backends: z
      .record(printableText(), backend, { error: backendsWanted })
      .refine((backends) => Object.keys(backends).length > 0, { error: backendsWanted })
      .describe('The backends by name.'),
  })
  .describe('The servers behind the gateway.');
