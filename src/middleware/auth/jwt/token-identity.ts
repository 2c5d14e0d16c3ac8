import { FieldGroup } from '../../../base/field-group.ts';
import { consumerText } from '../consumer-text.ts';
import type { Identity } from '../scheme.ts';
import type { JwtOptions } from './claim-rules.ts';
import { type JsonObject, memberOf } from './json-object.ts';

/** What a claim may become as the value of a field; upstreams take heads of some kilobytes. */
const MAX_VALUE_CHARS = 4096;

/** A claim that cannot be written as it should. */
class UnusableClaim extends Error {}

/** Who the owner of a token is, and what of it goes upstream. Null where a claim that is asked for cannot be used. */
export function identityOf(
  claims: JsonObject,
  options: Pick<JwtOptions, 'consumer_claim' | 'forward_claims'>,
): Identity | null {
  try {
    const consumer = textOf(memberOf(claims, options.consumer_claim)) ?? '';
    const fields = Object.entries(options.forward_claims).flatMap(([claim, header]) => {
      const text = textOf(memberOf(claims, claim));
      return text === null ? [] : [[header, text] as const];
    });
    return { consumer, fields: fields.length === 0 ? null : new FieldGroup(fields) };
  } catch (error) {
    if (error instanceof UnusableClaim) return null;
    throw error;
  }
}

/**
 * A claim as the value of a field; null for one that is not there. Lists and objects have no such form: a token that has one where a
 * text is asked for is refused, so that nobody is let in without what the upstream goes by.
 */
function textOf(claim: unknown): string | null {
  if (claim === undefined) return null;
  if (typeof claim !== 'string' && typeof claim !== 'number' && typeof claim !== 'boolean') throw new UnusableClaim();
  const text = String(claim);
  if (!text.isWellFormed()) throw new UnusableClaim();
  const written = consumerText(text);
  if (written.length > MAX_VALUE_CHARS) throw new UnusableClaim();
  return written;
}
