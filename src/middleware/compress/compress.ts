import { FieldGroup } from '../../base/field-group.ts';
import type { BuiltInOptions } from '../../config/schema/middleware/block.ts';
import { chooseCoding } from '../../http/accept-encoding.ts';
import { trimBlanks } from '../../http/characters.ts';
import { isStrongTag, listedTags } from '../../http/entity-tag.ts';
import { FieldDrops } from '../../http/field-drops.ts';
import type { FieldList } from '../../http/field-list.ts';
import { type BodyCoding, codeBody } from '../../pipeline/body-coding.ts';
import { CodedBody } from '../../pipeline/coded-body.ts';
import type { ExchangeContext } from '../../pipeline/exchange-context.ts';
import type { Middleware } from '../../pipeline/middleware.ts';
import type { MiddlewareContext } from '../middleware-context.ts';
import type { CodingName, ContentCodings } from './content-coding.ts';
import { MediaTypes } from './media-types.ts';

type Options = BuiltInOptions['compress'];

/** How many bodies one worker codes at a time. More replies, of open streams most likely, go as they are. */
const MAX_CODED_BODIES = 512;
/** A body that the gateway makes itself is coded while everything else waits: a larger one goes as it is. */
const MAX_OWN_BYTES = 256 * 1024;

/** Compresses replies for clients that accept it. */
export function compress(
  options: Options,
  { contentCodings }: Pick<MiddlewareContext, 'contentCodings'>,
): readonly Middleware[] {
  const compressor = new Compressor(options, contentCodings);
  return [{ name: 'compress', stage: 'compress', onResponse: (exchange) => compressor.treat(exchange) }];
}

/**
 * Fields that say of the identity what is not so of the coded body: ETag is written anew. The sums are all over what is sent in the end
 * (Content-MD5 RFC 2616 14.15, Digest RFC 3230 4.1, Content-Digest and Repr-Digest RFC 9530 2 and 3), and ranges would be of the identity.
 */
const OF_THE_IDENTITY: ReadonlySet<string> = new Set([
  ...['etag', 'content-encoding', 'accept-ranges', 'content-md5', 'digest', 'content-digest', 'repr-digest'],
]);

class Compressor {
  readonly #encodings: readonly CodingName[];
  readonly #codings: ReadonlyMap<CodingName, BodyCoding>;
  readonly #types: MediaTypes;
  readonly #minBytes: number;
  /** Clients of one gateway send few different ones: the Accept-Encoding looked at last, and what came of it. */
  #lastAccepted: string | undefined = undefined;
  #lastChoice: CodingName | null = null;
  /** What does not pass of a reply, and of one that is coded. */
  #drops: FieldDrops | null = null;
  #dropsOfCoded: FieldDrops = new FieldDrops(OF_THE_IDENTITY);

  constructor({ encodings, types, min_size: minBytes, level }: Options, codings: ContentCodings) {
    this.#encodings = encodings;
    this.#codings = new Map(encodings.map((name) => [name, codings[name](level)]));
    this.#types = new MediaTypes(types);
    // Nothing does not get smaller.
    this.#minBytes = Math.max(minBytes, 1);
  }

  /** The head of a reply as it would go out. */
  treat(exchange: ExchangeContext): void {
    if (exchange.reply.status === 304) this.#treatNotModified(exchange);
    else if (this.#isEligible(exchange)) this.#treatEligible(exchange);
  }

  #treatEligible(exchange: ExchangeContext): void {
    vary(exchange);
    if (isPart(exchange)) return;
    const coding = this.#choose(exchange);
    if (coding !== null) this.#code(exchange, coding);
  }

  /** GET of the same may be answered with a coded body, if the client asks for it. */
  #isEligible(exchange: ExchangeContext): boolean {
    const { status, contentLength, source } = exchange.reply;
    if (status === 204 || (contentLength >= 0 && contentLength < this.#minBytes && !isPart(exchange))) return false;
    if (source === null && contentLength > MAX_OWN_BYTES) return false;
    return this.#hasType(exchange) && !isCoded(exchange) && !saysNoTransform(fieldOf(exchange, 'cache-control'));
  }

  #hasType(exchange: ExchangeContext): boolean {
    const type = fieldOf(exchange, 'content-type');
    return type !== undefined && this.#types.includes(type);
  }

  #choose({ request }: ExchangeContext): CodingName | null {
    if (CodedBody.open >= MAX_CODED_BODIES || saysNoTransform(request.combinedValue('cache-control'))) return null;
    const accepted = request.combinedValue('accept-encoding');
    if (accepted !== this.#lastAccepted) {
      this.#lastChoice = chooseCoding(accepted, this.#encodings);
      this.#lastAccepted = accepted;
    }
    return this.#lastChoice;
  }

  #code(exchange: ExchangeContext, name: CodingName): void {
    const { reply } = exchange;
    const tag = fieldOf(exchange, 'etag');
    this.#dropIdentity(exchange);
    reply.additions.addGroup(CONTENT_ENCODING, name);
    if (tag !== undefined) addWeakTag(reply.additions, tag);
    // Sound: only what is in the map is chosen.
    codeBody(exchange, this.#codings.get(name) as BodyCoding);
  }

  #dropIdentity({ reply }: ExchangeContext): void {
    if (reply.drops !== this.#drops) {
      this.#drops = reply.drops;
      this.#dropsOfCoded = new FieldDrops([...(reply.drops?.names ?? []), ...OF_THE_IDENTITY]);
    }
    reply.drops = this.#dropsOfCoded;
    reply.additions.remove(OF_THE_IDENTITY);
  }

  /**
   * RFC 9110 15.4.5: a 304 has the ETag and Vary of the 200. That it would be coded shows by the tag that the client holds: with the one
   * of the upstream a cache would look for a reply that it has not stored (RFC 9111 4.3.4).
   */
  #treatNotModified(exchange: ExchangeContext): void {
    const { reply } = exchange;
    const tag = fieldOf(exchange, 'etag');
    if (tag === undefined || !isStrongTag(tag) || isCoded(exchange)) return;
    const held = listedTags(exchange.request.combinedValue('if-none-match') ?? '');
    if (!held.includes(`W/${tag}`) || (held.includes(tag) && this.#choose(exchange) === null)) return;
    vary(exchange);
    reply.drops = new FieldDrops([...(reply.drops?.names ?? []), 'etag']);
    reply.additions.remove(ETAG);
    addWeakTag(reply.additions, tag);
  }
}

const ETAG: ReadonlySet<string> = new Set(['etag']);
const CONTENT_ENCODING = new FieldGroup([], 'Content-Encoding');
const VARY = new FieldGroup([['Vary', 'Accept-Encoding']]);

/** The value of a field of the reply as it would go out. */
function fieldOf({ reply: { source, drops, additions } }: ExchangeContext, name: string): string | undefined {
  const received = source === null || drops?.names.has(name) ? undefined : source.combinedValue(name);
  const added = additions.combinedValue(name);
  return received === undefined || added === undefined ? (received ?? added) : `${received}, ${added}`;
}

/** Ranges are of the identity (RFC 9110 14.4), and whoever puts them together wants them so. */
function isPart(exchange: ExchangeContext): boolean {
  return exchange.reply.status === 206 || fieldOf(exchange, 'content-range') !== undefined;
}

function isCoded(exchange: ExchangeContext): boolean {
  const coding = fieldOf(exchange, 'content-encoding');
  return coding !== undefined && coding.toLowerCase() !== 'identity';
}

/** RFC 9111 5.2.1.6 and 5.2.2.6. */
function saysNoTransform(cacheControl: string | undefined): boolean {
  return cacheControl !== undefined && listed(cacheControl).includes('no-transform');
}

/** RFC 9110 12.5.5: a cache must not give the coded reply to who cannot decode it, or the other way round. */
function vary(exchange: ExchangeContext): void {
  const names = listed(fieldOf(exchange, 'vary') ?? '');
  if (!names.includes('*') && !names.includes('accept-encoding')) exchange.reply.additions.addGroup(VARY);
}

/** RFC 9110 8.8.1: the coded body has the meaning of the identity, not its bytes. What is not a tag is left out. */
function addWeakTag(fields: FieldList, tag: string): void {
  if (isStrongTag(tag)) fields.add('ETag', `W/${tag}`);
  else if (tag.startsWith('W/') && isStrongTag(tag.slice(2))) fields.add('ETag', tag);
}

const listed = (value: string): readonly string[] => value.split(',').map((part) => trimBlanks(part).toLowerCase());
