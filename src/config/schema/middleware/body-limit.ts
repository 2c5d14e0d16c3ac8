import { z } from 'zod';
import { byteSize } from '../../option-types.ts';

export const bodyLimit = z
  .strictObject({ max_size: byteSize(0).describe('The most bytes of a request body; more get 413.') })
  .describe('Limits the size of request bodies, below server.max_body_size.');
