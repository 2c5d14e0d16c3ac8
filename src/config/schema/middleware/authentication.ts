import { z } from 'zod';
import { oneOf } from '../../option-types.ts';
import { apiKey } from './api-key.ts';
import { basic } from './basic.ts';
import { jwt } from './jwt.ts';

export const authentication = z
  .strictObject({
    auth_type: oneOf(['jwt', 'api_key', 'basic', 'any']).describe(
      'How clients show who they are; "any" takes every way that has a block here.',
    ),
    jwt: jwt.optional(),
    api_key: apiKey.optional(),
    basic: basic.optional(),
  })
  .describe('Lets only known clients pass; others get 401.');
