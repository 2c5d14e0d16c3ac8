import { decodeBase64url } from '../../../base/base64url.ts';
import { PhotonError } from '../../../base/errors.ts';
import { isSignedBy, type SignatureAlgorithm } from '../../../base/signature-algorithm.ts';
import type { ExchangeContext } from '../../../pipeline/exchange-context.ts';
import { type Attempt, type AuthScheme, type Identity, Refusal } from '../scheme.ts';
import { ClaimRules, type JwtOptions } from './claim-rules.ts';
import { parseJsonObject } from './json-object.ts';
import { type KeySets, type KeySource, keySourceOf } from './key-source.ts';
import { parseSignedToken, type SignedToken } from './signed-token.ts';
import { identityOf } from './token-identity.ts';
import { TokenSource } from './token-source.ts';
import { MAX_KEPT_MS, VerifiedTokens } from './verified-tokens.ts';

export interface JwtSchemeContext {
  /** Milliseconds since 1970. */
  unixMs(): number;
  readonly keySets: KeySets;
}

/** RFC 6750 3: a challenge has at least one parameter. */
const CHALLENGE = 'Bearer realm="Photon"';

/** RFC 6750 3.1. The same for everything that can be wrong with a token. */
const REFUSAL = new Refusal(`${CHALLENGE}, error="invalid_token"`);

/**
 * Signed tokens (RFC 7519).
 *
 *   token --known--> identity
 *     \--new--> parsed --algorithm configured--> keys --signature--> claims --> identity, kept
 *                                                 | none of that name
 *                                                 \--fetched anew, once--> keys, or refused
 */
export class JwtScheme implements AuthScheme {
  readonly challenge = CHALLENGE;
  readonly requestDrops: readonly string[];
  readonly #options: JwtOptions;
  readonly #context: JwtSchemeContext;
  readonly #source: TokenSource;
  readonly #keys: KeySource;
  readonly #rules: ClaimRules;
  readonly #algorithms: ReadonlySet<SignatureAlgorithm>;
  readonly #verified = new VerifiedTokens();
  /** Of the keys that the tokens were verified with. */
  #version: unknown = null;

  /** Throws an Error for a key that cannot be read. */
  constructor(options: JwtOptions, context: JwtSchemeContext) {
    this.#options = options;
    this.#context = context;
    this.#source = new TokenSource(options);
    this.#keys = keySourceOf(options, context.keySets);
    this.#rules = new ClaimRules(options);
    this.#algorithms = new Set(
      options.algorithm === undefined ? (options.algorithms ?? ['HS256']) : [options.algorithm],
    );
    this.requestDrops = [...Object.values(options.forward_claims), ...(options.strip ? this.#source.fieldNames : [])];
  }

  attempt(exchange: ExchangeContext): Attempt | Promise<Attempt> {
    const token = this.#source.tokenOf(exchange);
    return token === null ? null : this.judge(token);
  }

  hide(exchange: ExchangeContext): void {
    if (this.#options.strip) this.#source.hide(exchange);
  }

  /** Who shows this token. */
  judge(token: string): Identity | Refusal | Promise<Identity | Refusal> {
    const { version } = this.#keys;
    if (version !== this.#version) {
      this.#verified.clear();
      this.#version = version;
    }
    return this.#verified.get(token, this.#context.unixMs()) ?? this.#verify(token);
  }

  #verify(token: string): Identity | Refusal | Promise<Identity | Refusal> {
    const parsed = parseSignedToken(token);
    if (parsed === null || !this.#algorithms.has(parsed.algorithm)) return REFUSAL;
    if (this.#mayBeSigned(parsed)) return this.#verifyNow(token, parsed);
    const renewal = this.#keys.renew();
    return renewal === null ? this.#verifyNow(token, parsed) : renewal.then(() => this.#verifyNow(token, parsed));
  }

  /** There is a key that it names, or may mean. */
  #mayBeSigned({ algorithm, keyId }: SignedToken): boolean {
    const isOpen = keyId === null && this.#keys.version !== null;
    return isOpen || this.#keys.keysFor(algorithm, keyId).length > 0;
  }

  #verifyNow(token: string, { algorithm, keyId, signedText, signature, payload }: SignedToken): Identity | Refusal {
    // Nobody can tell whether the token holds: 401 would make clients throw away one that does.
    if (this.#keys.version === null) {
      throw new PhotonError('authentication_unavailable', 'The keys of the issuer are not known yet.');
    }
    const keys = this.#keys.keysFor(algorithm, keyId);
    if (keys.length === 0 && this.#keys.mayBeOld) {
      throw new PhotonError('authentication_unavailable', 'The newest keys of the issuer are not known.');
    }
    const isSigned = keys.some((key) => isSignedBy(key, algorithm, signedText, signature));
    return isSigned ? this.#accept(token, payload) : REFUSAL;
  }

  /** The signature is right: what is said is what the issuer said. */
  #accept(token: string, payload: string): Identity | Refusal {
    const bytes = decodeBase64url(payload);
    const claims = bytes === null ? null : parseJsonObject(bytes);
    const validity = claims === null ? null : this.#rules.validity(claims);
    const identity = claims === null ? null : identityOf(claims, this.#options);
    const nowMs = this.#context.unixMs();
    if (validity === null || identity === null) return REFUSAL;
    const fromMs = validity.from * 1000;
    const untilMs = Math.min(validity.until * 1000, nowMs + MAX_KEPT_MS);
    // RFC 7519 4.1.4, 4.1.5: not before nbf, and not at exp any more.
    if (nowMs < fromMs || nowMs >= untilMs) return REFUSAL;
    const verified = { ...identity, fromMs, untilMs };
    this.#verified.put(token, verified);
    return verified;
  }
}
