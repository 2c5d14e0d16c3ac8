import type { RetryBackoffConfig } from '../config/config.ts';

/**
 * The pause before the `retry`th retry of a request, from 1, in milliseconds: anything between 0 and a longest one that doubles each
 * time, so that requests that failed together do not come again together.
 * @param random - from 0 to 1, 1 excluded
 */
export function retryPauseMs({ initialMs, maxMs }: RetryBackoffConfig, retry: number, random: number): number {
  return random * Math.min(maxMs, initialMs * 2 ** (retry - 1));
}
