import { z } from 'zod';
import { fieldValue } from '../../http-option-types.ts';
import { durationOrZero, flag, oneOf } from '../../option-types.ts';

const TEN_YEARS_MS = 3650 * 86_400_000;

const hsts = z
  .strictObject({
    max_age: durationOrZero(TEN_YEARS_MS)
      .describe('How long browsers stay with HTTPS; 0s lets them forget it.')
      .prefault('365d'),
    include_subdomains: flag().describe('Whether that holds for subdomains too.').prefault(true),
    preload: flag().describe('Whether browsers may know it before the first visit.').prefault(false),
  })
  .describe('Strict-Transport-Security (RFC 6797), on replies over TLS.');

export const headers = z
  .strictObject({
    preset: oneOf(['security', 'none']).describe('What the other options start from.').prefault('security'),
    nosniff: flag().describe('X-Content-Type-Options: nosniff; by default with the preset.').optional(),
    frame_options: oneOf(['DENY', 'SAMEORIGIN', 'off'])
      .describe('X-Frame-Options; with the preset SAMEORIGIN.')
      .optional(),
    referrer_policy: oneOf([
      'no-referrer',
      'no-referrer-when-downgrade',
      'origin',
      'origin-when-cross-origin',
      'same-origin',
      'strict-origin',
      'strict-origin-when-cross-origin',
      'unsafe-url',
      'off',
    ])
      .describe('Referrer-Policy; with the preset strict-origin-when-cross-origin.')
      .optional(),
    content_security_policy: fieldValue().describe('Content-Security-Policy; by default none.').optional(),
    permissions_policy: fieldValue().describe('Permissions-Policy; by default none.').optional(),
    hsts: hsts.optional(),
  })
  .describe('Headers that tell browsers to be careful; what an upstream sets itself stays.');
