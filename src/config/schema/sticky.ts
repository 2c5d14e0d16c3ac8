import { z } from 'zod';
import { cookieName } from '../http-option-types.ts';
import { duration, flag } from '../option-types.ts';

export const sticky = z
  .strictObject({
    cookie: cookieName().describe('Name of the cookie that keeps a client with its upstream.'),
    ttl: duration().describe('How long the cookie lives; by default until the browser is closed.').optional(),
    secure: flag().describe('Whether browsers send the cookie over HTTPS only.').prefault(false),
  })
  .describe('Keeps each client with the upstream that answered it first, as long as that is well.');
