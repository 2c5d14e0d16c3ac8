import { z } from 'zod';
import { byteSize, listOf, oneOf, textLike, wholeNumber } from '../../option-types.ts';

const type = () =>
  textLike('a media type such as "text/html" or "text/*"', /^[a-z0-9!#$&^_.+-]+\/(?:[a-z0-9!#$&^_.+-]+|\*)$/i);

export const compress = z
  .strictObject({
    encodings: listOf(oneOf(['zstd', 'br', 'gzip']), 'encodings')
      .describe('The codings, the preferred one first; the client chooses among them.')
      .prefault(['zstd', 'br', 'gzip']),
    types: listOf(type(), 'media types')
      .describe('The media types that are compressed.')
      .prefault([
        'text/*',
        'application/json',
        'application/javascript',
        'application/xml',
        'application/problem+json',
        'image/svg+xml',
      ]),
    min_size: byteSize(0).describe('Smaller bodies stay as they are.').prefault('1KiB'),
    level: wholeNumber(1, 9).describe('How hard to try, from 1 (fast) to 9 (small).').prefault(4),
  })
  .describe('Compresses replies for clients that accept it.');
