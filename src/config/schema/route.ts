import { z } from 'zod';
import {
  absolutePath,
  headerName,
  hostPattern,
  method,
  routePattern,
  textOrPresent,
  upstreamHost,
} from '../http-option-types.ts';
import { duration, listOf, printableText, wholeNumber } from '../option-types.ts';
import { routeCache } from './cache.ts';
import { middlewareList } from './middleware-list.ts';
import { websocket } from './websocket.ts';

const match = z
  .strictObject({
    headers: z
      .record(headerName(), textOrPresent(), { error: 'a mapping of header names to values' })
      .describe(
        'Headers that a request must have, as they go upstream: a value to be equal to, or true for "is present". Those of forward_claims are never there.',
      )
      .prefault({}),
    query: z
      .record(z.string(), textOrPresent(), { error: 'a mapping of parameter names to values' })
      .describe('Query parameters that a request must have: a value to be equal to, or true for "is present".')
      .prefault({}),
  })
  .describe('What a request must have besides path, host and method.');

export const route = z
  .strictObject({
    id: printableText().describe('Name of the route in logs and metrics, unique; by default its path.').optional(),
    path: routePattern().describe(
      'Which paths the route takes: literals, * for one segment, ** for any number, {name} for one named segment, or a regular expression after ^.',
    ),
    methods: listOf(method(), 'methods')
      .describe('Which methods the route takes (GET implies HEAD); by default every one.')
      .optional(),
    host: hostPattern()
      .describe('Which host the route is for; "*." in front stands for exactly one label. By default every host.')
      .optional(),
    backend: printableText().describe('The backend that answers; by default the only one there is.').optional(),
    middleware: middlewareList()
      .describe('Middleware of this route: names, or {name: options} to set options for this route.')
      .prefault([]),
    timeout: duration()
      .describe('Deadline of the whole exchange, for streams up to the head of the reply; by default there is none.')
      .optional(),
    retries: wholeNumber(0, 100)
      .describe('How many times a failed request may be retried where that is safe.')
      .prefault(1),
    websocket: websocket.prefault({}),
    cache: routeCache.prefault({}),
    strip_prefix: absolutePath()
      .describe('What to take off the front of the path before it goes upstream, at a segment boundary.')
      .optional(),
    upstream_host: upstreamHost()
      .describe("What goes upstream as Host: the client's (preserve), the upstream's address (upstream), or a name.")
      .prefault('preserve'),
    match: match.prefault({}),
    priority: wholeNumber(-1_000_000, 1_000_000)
      .describe('Overrides the ranking by how specific a route is; the higher goes first.')
      .optional(),
  })
  .describe('Which requests go to which backend.');
