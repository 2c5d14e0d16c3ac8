import { hash } from 'node:crypto';
import { sameSecret } from '../../base/constant-time.ts';
import { utf8Bytes } from '../../base/latin1.ts';
import type { BuiltInOptions } from '../../config/schema/middleware/block.ts';
import { parameterValues, withoutParameter } from '../../http/query.ts';
import type { ExchangeContext } from '../../pipeline/exchange-context.ts';
import { type Attempt, type AuthScheme, type Identity, Refusal } from './scheme.ts';

type Options = NonNullable<BuiltInOptions['authentication']['api_key']>;

const DEFAULT_HEADER = 'x-api-key';
const DIGEST = /^sha256:/i;
/** There is no registered scheme for keys (RFC 9110 16.4.1): this names what is wanted, as others do. */
const CHALLENGE = 'ApiKey';

/** A key that is known, by its digest alone: nothing that is kept would open anything. */
interface KnownKey {
  readonly digest: Buffer;
  readonly identity: Identity;
}

/** Keys in a header or a query parameter. The header goes first. */
export function apiKey(options: Options): AuthScheme {
  const header = options.header ?? (options.query === undefined ? DEFAULT_HEADER : null);
  const { strip } = options;
  const query = options.query === undefined ? null : utf8Bytes(options.query);
  const known = knownKeys(options);
  const refusal = new Refusal(CHALLENGE);

  function attempt(exchange: ExchangeContext): Attempt {
    const inHeader = header === null ? undefined : exchange.request.combinedValue(header);
    if (inHeader !== undefined) return identify(inHeader);
    const inQuery = query === null ? [] : parameterValues(exchange.target.query, query);
    // Two of them: the upstream may take the other one for the key.
    if (inQuery.length > 1) return refusal;
    return inQuery[0] === undefined ? null : identify(inQuery[0]);
  }

  function identify(key: string): Attempt {
    const digest = digestOf(key);
    const alike = known.get(beginningOf(digest)) ?? [];
    return alike.findLast((each) => sameSecret(each.digest, digest))?.identity ?? refusal;
  }

  function hide(exchange: ExchangeContext): void {
    if (strip && query !== null) exchange.outgoingTarget = withoutParameter(exchange.outgoingTarget, query);
  }

  return { challenge: CHALLENGE, requestDrops: strip && header !== null ? [header] : [], attempt, hide };
}

/**
 * By the beginning of their digests: what is looked up is not the key that came but its SHA-256, of which nobody can choose the beginning,
 * so that the time of the look-up tells nothing about the keys, and a thousand of them take no longer than one.
 */
function knownKeys({ keys = [], consumers = {} }: Options): ReadonlyMap<number, readonly KnownKey[]> {
  const named = Object.entries(consumers).flatMap(([consumer, own]) => own.map((key) => ({ key, consumer }) as const));
  const listed = keys.map((entry) => (typeof entry === 'string' ? { key: entry, consumer: '' } : entry));
  const known = [...listed, ...named].map(({ key, consumer = '' }): KnownKey => {
    const digest = DIGEST.test(key) ? Buffer.from(key.slice('sha256:'.length), 'hex') : digestOf(key);
    return { digest, identity: { consumer, fields: null } };
  });
  return Map.groupBy(known, ({ digest }) => beginningOf(digest));
}

/** A number: V8 puts every text that is looked up in a `Map` into a table of its own, and whoever guesses keys would fill that. */
function beginningOf(digest: Buffer): number {
  return digest.readInt32LE();
}

/** Keys are printable ASCII; what came is the bytes that it came in, one character each. */
function digestOf(key: string): Buffer {
  return hash('sha256', Buffer.from(key, 'latin1'), 'buffer');
}
