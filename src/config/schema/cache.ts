import { z } from 'zod';
import { byteSize, durationOrZero, flag, listOf, oneOf, wholeNumber } from '../option-types.ts';
import { MAX_COUNT, MAX_TTL_MS } from './bounds.ts';

export const cache = z
  .strictObject({
    enabled: flag().describe('Whether replies are cached.').prefault(false),
    max_entries: wholeNumber(1, MAX_COUNT).describe('The most replies in the cache.').prefault(10_000),
    max_memory: byteSize(64 * 1024)
      .describe('The most memory that the cache takes.')
      .prefault('256MiB'),
    default_ttl: durationOrZero(MAX_TTL_MS)
      .describe('Freshness of replies that say nothing about it; 0s stores none of them.')
      .prefault('300s'),
    max_body_size: byteSize(0).describe('The largest body to store.').prefault('1MiB'),
    cache_with_query_params: flag()
      .describe('Whether requests with a query are cached; otherwise they go past the cache.')
      .prefault(false),
    store_set_cookie: flag()
      .describe('Whether replies that set a cookie may be stored; then many clients get the same cookie.')
      .prefault(false),
    debug_headers: flag()
      .describe('Whether replies tell by X-Cache and X-Cache-Key what the cache did.')
      .prefault(true),
  })
  .describe('The response cache.');

export const routeCache = z
  .strictObject({
    enabled: flag().describe('Whether replies of this route are cached.').optional(),
    ttl: durationOrZero(MAX_TTL_MS)
      .describe('Freshness of replies that say nothing about it; 0s stores none of them.')
      .optional(),
    max_body_size: byteSize(0).describe('The largest body to store.').optional(),
    cache_with_query_params: flag().describe('Whether requests with a query are cached.').optional(),
    store_set_cookie: flag().describe('Whether replies that set a cookie may be stored.').optional(),
    methods: listOf(oneOf(['GET', 'HEAD']), 'methods')
      .describe('The methods whose replies are cached.')
      .optional(),
  })
  .describe('Caching on this route; what is left out comes from the cache block at the top.');
