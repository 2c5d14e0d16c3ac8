import { z } from 'zod';
import { duration, shareOrZero, wholeNumber } from '../option-types.ts';

export const retryBudget = z
  .strictObject({
    share: shareOrZero()
      .describe('The most retries, as a share of the requests of this backend; 0 allows only min_per_second.')
      .prefault(0.2),
    min_per_second: wholeNumber(0, 100_000)
      .describe('Retries per second that are allowed however few requests there are.')
      .prefault(3),
  })
  .describe('Bounds the retries of a backend, so that they cannot multiply a load that it cannot carry.');

export const retryBackoff = z
  .strictObject({
    initial: duration().describe('The longest pause before the first retry; the real one is random.').prefault('25ms'),
    max: duration().describe('The longest pause before a later one, for which it doubles each time.').prefault('250ms'),
  })
  .describe('The pauses between the attempts of one request.');
