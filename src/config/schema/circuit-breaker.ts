import { z } from 'zod';
import { duration, flag, share, wholeNumber } from '../option-types.ts';

export const circuitBreaker = z
  .strictObject({
    enabled: flag().describe('Whether an upstream that keeps failing is left alone for a while.').prefault(true),
    failure_threshold: wholeNumber(1, 1_000_000)
      .describe('Failures in a row that open the breaker of an upstream.')
      .prefault(5),
    failure_rate: share()
      .describe('Share of failed requests within the window that opens the breaker; by default not looked at.')
      .optional(),
    window: duration().describe('The time over which failure_rate is counted.').prefault('30s'),
    min_requests: wholeNumber(1, 1_000_000)
      .describe('Requests within the window below which failure_rate says nothing yet.')
      .prefault(20),
    open_timeout: duration().describe('How long the breaker stays open before one request probes.').prefault('60s'),
    success_threshold: wholeNumber(1, 1000).describe('Successful probes that close the breaker.').prefault(3),
  })
  .describe('Leaves an upstream alone that keeps failing.');
