import { z } from 'zod';
import { flag, logOutput, oneOf, shareOrZero } from '../option-types.ts';

export const accessLog = z
  .strictObject({
    enabled: flag().describe('Whether every request leaves a line.').prefault(true),
    format: oneOf(['json', 'combined'])
      .describe('One JSON object a line, or the combined format of Apache and nginx.')
      .prefault('json'),
    output: logOutput().describe('"stdout", or the file to append to.').prefault('stdout'),
    sample: shareOrZero().describe('Share of the requests to log; those that failed always are.').prefault(1),
    query: oneOf(['none', 'masked', 'full'])
      .describe('What of the query string is logged: nothing, all but the values of secret parameters, or everything.')
      .prefault('none'),
  })
  .describe('A line for every request.');
