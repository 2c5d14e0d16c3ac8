import type { BackendConfig } from '../config/config.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { parseHashKey } from '../upstream/balancing/hash-key.ts';
import type { ExplainedChoice } from './explanation.ts';

/** Which upstream takes every request like this one, and why; null where turns, chance or load decide. */
export function explainChoice(backend: BackendConfig, exchange: Exchange): ExplainedChoice | null {
  const { route } = exchange;
  const upstream = exchange.attempt?.upstream ?? null;
  if (route === null || upstream === null) return null;
  if (backend.sticky !== null && route.backend.sticky?.namedBy(exchange) === upstream) {
    return { upstream: upstream.key, by: `the cookie ${backend.sticky.cookie}` };
  }
  const key = hashedKey(backend);
  if (key === null) return null;
  const missing = parseHashKey(key)(exchange) === null;
  return { upstream: upstream.key, by: missing ? `the hash of ip, as there is no ${key}` : `the hash of ${key}` };
}

/** What the algorithm hashes: `ip`, `path`, `header:NAME` or `cookie:NAME`; null where it hashes nothing. */
export function hashedKey({ algorithm, key }: BackendConfig): string | null {
  if (algorithm === 'ip_hash') return 'ip';
  return algorithm === 'consistent_hash' ? key : null;
}
