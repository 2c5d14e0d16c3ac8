import { PhotonError } from '../base/errors.ts';
import { FieldGroup, type FieldPair } from '../base/field-group.ts';
import { LastText } from '../base/last-text.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import { trimBlanks } from '../http/characters.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { Answer, Middleware, Verdict } from '../pipeline/middleware.ts';
import { isPreflight } from '../pipeline/preflight.ts';
import { OriginMatcher } from './origin-matcher.ts';

type Options = BuiltInOptions['cors'];

/** What the gateway says of it, nobody else says: an upstream that also does would let a browser see two answers. */
const OURS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
];

/** Those that every reply gets. Other middleware, which may have written them before, must not say them either. */
const OF_EVERY_REPLY: ReadonlySet<string> = new Set([
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
]);

/** Fetch 2.2.2: these a page may send without asking. `Content-Type` is asked for when its value is not harmless. */
const SAFE_HEADERS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'content-language', 'range']);

/** Lets pages of other origins read replies (Fetch standard, 3.2). */
export function cors(options: Options): readonly Middleware[] {
  const policy = new CorsPolicy(options);

  function answerPreflight(exchange: ExchangeContext): Verdict {
    return isPreflight(exchange.request) ? policy.preflight(exchange) : undefined;
  }

  function letRead(exchange: ExchangeContext): void {
    const { reply, route } = exchange;
    if (route?.chain.writesAccessControl) reply.additions.remove(OF_EVERY_REPLY);
    reply.additions.addGroup(policy.fieldsFor(originOf(exchange)));
  }

  return [{ name: 'cors', stage: 'cors', responseDrops: OURS, onRequest: answerPreflight, onResponse: letRead }];
}

/** Two of them are joined to a text that is no origin. */
function originOf({ request }: ExchangeContext): string | null {
  return request.combinedValue('origin') ?? null;
}

class CorsPolicy {
  readonly #origins: OriginMatcher;
  readonly #methods: ReadonlySet<string>;
  readonly #headers: ReadonlySet<string>;
  readonly #credentials: boolean;
  readonly #maxAge: readonly FieldPair[];
  /** The fields after the one that names the origin. */
  readonly #afterOrigin: readonly FieldPair[];
  /** The fields for every other origin. */
  readonly #refusal: FieldGroup;
  /** The fields of a reply to a request without an origin, and by the origin: a page sends many requests. */
  readonly #withoutOrigin: FieldGroup;
  readonly #byOrigin: LastText<FieldGroup>;

  constructor(options: Options) {
    this.#origins = new OriginMatcher(options.allowed_origins);
    this.#methods = new Set(options.allowed_methods);
    this.#headers = new Set(options.allowed_headers.map((name) => name.toLowerCase()));
    // Fetch 3.2.5: "*" never stands for requests with credentials. To name the origin instead would let every page act as the user.
    this.#credentials = options.allow_credentials && !this.#origins.every;
    const exposed = field('Access-Control-Expose-Headers', options.exposed_headers.join(', '));
    const credentials = field('Access-Control-Allow-Credentials', this.#credentials ? 'true' : '');
    this.#maxAge = field('Access-Control-Max-Age', options.max_age === undefined ? '' : String(options.max_age));
    // A cache in between must not give the reply for one origin to another (RFC 9110 12.5.5).
    const vary = field('Vary', this.#origins.every ? '' : 'Origin');
    this.#afterOrigin = [...credentials, ...vary, ...exposed];
    this.#refusal = new FieldGroup(vary);
    this.#withoutOrigin = this.#fieldsOf(null);
    this.#byOrigin = new LastText((origin) => this.#fieldsOf(origin));
  }

  /** For a reply to any client. */
  fieldsFor(origin: string | null): FieldGroup {
    return origin === null ? this.#withoutOrigin : this.#byOrigin.of(origin);
  }

  #fieldsOf(origin: string | null): FieldGroup {
    if (!this.#isAllowed(origin)) return this.#refusal;
    const allowed = this.#origins.every ? '*' : (origin ?? '');
    return new FieldGroup([['Access-Control-Allow-Origin', allowed], ...this.#afterOrigin]);
  }

  /**
   * Fetch 3.2.5: where everybody may read, a reply says so to whoever asks, with an origin or without. It does not vary, so a cache would
   * give one without to a page that needs it.
   */
  #isAllowed(origin: string | null): boolean {
    return this.#origins.every || (origin !== null && this.#origins.includes(origin));
  }

  /** The response hook of this middleware runs on its reply too, and says whether the origin is allowed. Throws PhotonError forbidden. */
  preflight({ request }: ExchangeContext): Answer {
    // Sound: this is what makes it a preflight.
    const origin = request.combinedValue('origin') as string;
    const method = request.combinedValue('access-control-request-method') as string;
    if (!this.#origins.includes(origin)) throw forbidden('Pages of this origin may not read this.');
    if (!this.#allowsMethod(method)) throw forbidden('Pages may not use this method here.');
    const asked = listOf(request.combinedValue('access-control-request-headers') ?? '');
    if (!asked.every((name) => this.#allowsHeader(name))) throw forbidden('Pages may not send one of these headers.');
    const methods = field('Access-Control-Allow-Methods', method);
    const headers = field('Access-Control-Allow-Headers', asked.join(', '));
    return { status: 204, fields: [...methods, ...headers, ...this.#maxAge], body: '' };
  }

  /** Browsers let GET, HEAD and POST pass whatever is listed (Fetch 4.8); a preflight for one that is not listed is refused all the same. */
  #allowsMethod(method: string): boolean {
    return this.#methods.has(method) || (this.#methods.has('*') && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method));
  }

  /** Fetch 4.8: "*" does not stand for Authorization, which has to be named. */
  #allowsHeader(name: string): boolean {
    if (this.#headers.has(name) || SAFE_HEADERS.has(name)) return true;
    return this.#headers.has('*') && name !== 'authorization' && /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name);
  }
}

const field = (name: string, value: string): readonly FieldPair[] => (value === '' ? [] : [[name, value]]);

const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => trimBlanks(name).toLowerCase())
    .filter((name) => name !== '');

function forbidden(detail: string): PhotonError {
  return new PhotonError('forbidden', detail);
}
