import { z } from 'zod';
import { filePath, listOf } from '../option-types.ts';
import { accessLog } from './access-log.ts';
import { cache } from './cache.ts';
import { healthCheck } from './health-check.ts';
import { loadBalancing } from './load-balancing.ts';
import { metrics } from './metrics.ts';
import { middlewareBlock } from './middleware/block.ts';
import { route } from './route.ts';
import { server } from './server.ts';
import { tracing } from './tracing.ts';

/*
 * The whole configuration, one block a file: every option once, with its name, type, default and description. Types,
 * validation, defaults, the JSON Schema and docs/configuration.md come from here. An option is described first and gets
 * its default last.
 */

export const configSchema = z.strictObject({
  $schema: z
    .string({ error: 'a text' })
    .describe('Where editors find the JSON Schema; Photon does not look.')
    .optional(),
  include: listOf(filePath(), 'files')
    .describe(
      'More files with routes, backends and middleware: paths relative to this file, * and ** in them stand for many.',
    )
    .optional(),
  server,
  load_balancing: loadBalancing,
  routes: listOf(route, 'routes').describe('The routes, in any order: the most specific one takes a request.'),
  middleware: middlewareBlock.prefault({}),
  // Without a block, nothing is checked.
  health_check: healthCheck.prefault({ enabled: false }),
  metrics: metrics.prefault({}),
  access_log: accessLog.prefault({}),
  tracing: tracing.prefault({}),
  cache: cache.prefault({}),
});

/** A document as one writes it. */
export type ConfigInput = z.input<typeof configSchema>;

/** A document after validation: the file's own keys, with defaults, durations in milliseconds and sizes in bytes. */
export type ConfigDocument = z.output<typeof configSchema>;
