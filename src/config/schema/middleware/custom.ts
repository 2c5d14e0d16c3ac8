import { z } from 'zod';
import { filePath, textLike } from '../../option-types.ts';

const name = () => textLike('a name of letters, digits, - and _', /^[A-Za-z][A-Za-z0-9_-]*$/);

export const customMiddleware = z.strictObject({
  module: filePath().describe('The TypeScript or JavaScript module, relative to this file.'),
  options: z
    .record(z.string(), z.unknown(), { error: 'a mapping of options' })
    .describe('What the module gets, checked by its own schema.')
    .prefault({}),
});

export const custom = z
  .record(name(), customMiddleware, { error: 'a mapping of names to modules' })
  .describe('Middleware of your own by the name that routes use.');
