import { z } from 'zod';
import { absolutePath, fieldValue, headerName, statusSet, upstreamAuthority } from '../http-option-types.ts';
import { duration, flag, oneOf, printableText, wholeNumber } from '../option-types.ts';
import { withoutDefaults } from './without-defaults.ts';

const healthCheckDefaults = {
  check_type: oneOf(['tcp', 'http', 'https']).describe('What a check does: connect, or ask with GET.').prefault('tcp'),
  path: absolutePath().describe('What an http or https check asks for.').prefault('/health'),
  expected_status: statusSet()
    .describe('What an http or https check wants: a status (200), a class ("2xx"), or a list of them.')
    .prefault(200),
  interval: duration().describe('Time between two checks of one upstream.').prefault('10s'),
  timeout: duration().describe('How long one check may take.').prefault('5s'),
  failure_threshold: wholeNumber(1, 1000).describe('Failures in a row that make an upstream unhealthy.').prefault(3),
  success_threshold: wholeNumber(1, 1000).describe('Successes in a row that make it healthy again.').prefault(2),
  reuse: flag()
    .describe('Whether http and https checks keep their connections; a new one each time also tests the connecting.')
    .prefault(false),
};

/** Fields that say how the message or its connection is to be read, and Host, which has an option of its own. */
const SET_BY_PHOTON: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'expect',
]);

/** What has no default, for all backends or for one. */
const healthCheckRequest = {
  expected_body: printableText()
    .describe('A text that must be in the first 64 KiB of the body; by default the body is not looked at.')
    .optional(),
  headers: z
    .record(headerName(), fieldValue(), { error: 'a mapping of header names to values' })
    .refine((headers) => Object.keys(headers).every((name) => !SET_BY_PHOTON.has(name)), {
      error: 'headers other than Host, for which there is "host", and those of the connection and the framing',
    })
    .describe('Headers to send with an http or https check.')
    .optional(),
  host: upstreamAuthority()
    .describe("The Host of an http or https check; by default the upstream's address.")
    .optional(),
};

const healthCheckEnabled = flag().describe(
  'Whether upstreams are checked; by default where there is a health_check block, here or at the top.',
);

export const healthCheck = z
  .strictObject({ enabled: healthCheckEnabled.prefault(true), ...healthCheckDefaults, ...healthCheckRequest })
  .describe('Active health checks: the settings of every backend that does not set them itself.');

export const backendHealthCheck = z
  .strictObject({
    enabled: healthCheckEnabled.optional(),
    ...withoutDefaults(healthCheckDefaults),
    ...healthCheckRequest,
  })
  .describe('Active health checks of this backend; what is left out comes from the health_check block at the top.');
