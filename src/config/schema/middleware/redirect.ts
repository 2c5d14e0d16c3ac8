import { z } from 'zod';
import { textTemplate, upstreamAuthority } from '../../http-option-types.ts';
import { oneOf } from '../../option-types.ts';

const statusWanted = '301, 302, 303, 307 or 308';

export const redirect = z
  .strictObject({
    scheme: oneOf(['http', 'https']).describe('The scheme to go to; by default that of the request.').optional(),
    host: upstreamAuthority().describe('The host to go to, with its port; by default that of the request.').optional(),
    path: textTemplate('a path of ASCII that starts with "/"', /^\/[\x21-\x7e]*$/)
      .describe('The path to go to, {path.NAME} in it replaced; by default path and query of the request.')
      .optional(),
    status: z
      .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)], { error: statusWanted })
      .describe(`The status: ${statusWanted}.`)
      .prefault(308),
  })
  .superRefine(({ scheme, host, path }, context) => {
    if (scheme !== undefined || host !== undefined || path !== undefined) return;
    context.issues.push({
      code: 'custom',
      path: ['host'],
      message: 'where to go: scheme, host or path',
      input: undefined,
    });
  })
  .describe('Answers with a redirect.');
