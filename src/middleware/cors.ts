import { PhotonError } from '../base/errors.ts';
import type { BuiltInOptions } from '../config/schema/middleware/block.ts';
import { trimBlanks } from '../http/characters.ts';
import { withoutFields } from '../http/field-text.ts';
import type { Exchange } from '../pipeline/exchange.ts';
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

  function answerPreflight(exchange: Exchange): Verdict {
    return isPreflight(exchange.request) ? policy.preflight(exchange) : undefined;
  }

  function letRead(exchange: Exchange): void {
    const { reply, route } = exchange;
    if (route?.chain.writesAccessControl) reply.additions = withoutFields(reply.additions, OF_EVERY_REPLY);
    reply.additions += policy.linesFor(originOf(exchange));
  }

  return [{ name: 'cors', stage: 'cors', responseDrops: OURS, onRequest: answerPreflight, onResponse: letRead }];
}

/** Two of them are joined to a text that is no origin. */
function originOf({ request }: Exchange): string | null {
  return request.combinedValue('origin') ?? null;
}

class CorsPolicy {
  readonly #origins: OriginMatcher;
  readonly #methods: ReadonlySet<string>;
  readonly #headers: ReadonlySet<string>;
  readonly #credentials: boolean;
  readonly #exposed: string;
  readonly #maxAge: string;
  /** Pages send many requests: the origin looked at last, and its lines. */
  #lastOrigin: string | null = null;
  #lastLines = '';

  constructor(options: Options) {
    this.#origins = new OriginMatcher(options.allowed_origins);
    this.#methods = new Set(options.allowed_methods);
    this.#headers = new Set(options.allowed_headers.map((name) => name.toLowerCase()));
    // Fetch 3.2.5: "*" never stands for requests with credentials. To name the origin instead would let every page act as the user.
    this.#credentials = options.allow_credentials && !this.#origins.every;
    this.#exposed = line('Access-Control-Expose-Headers', options.exposed_headers.join(', '));
    this.#maxAge = line('Access-Control-Max-Age', options.max_age === undefined ? '' : String(options.max_age));
    this.#lastLines = this.#linesOf(null);
  }

  /** A cache in between must not give the reply for one origin to another (RFC 9110 12.5.5). */
  get #refusal(): string {
    return this.#origins.every ? '' : 'Vary: Origin\r\n';
  }

  /** For a reply, to whomever it goes. */
  linesFor(origin: string | null): string {
    if (origin === this.#lastOrigin) return this.#lastLines;
    this.#lastOrigin = origin;
    this.#lastLines = this.#linesOf(origin);
    return this.#lastLines;
  }

  #linesOf(origin: string | null): string {
    return this.#isAllowed(origin) ? this.#allowLines(origin) + this.#exposed : this.#refusal;
  }

  /**
   * Fetch 3.2.5: where everybody may read, a reply says so to whoever asks, with an origin or without. It does not vary, so a cache would
   * give one without to a page that needs it.
   */
  #isAllowed(origin: string | null): boolean {
    return this.#origins.every || (origin !== null && this.#origins.includes(origin));
  }

  #allowLines(origin: string | null): string {
    const allowed = `Access-Control-Allow-Origin: ${this.#origins.every ? '*' : origin}\r\n`;
    const credentials = this.#credentials ? 'Access-Control-Allow-Credentials: true\r\n' : '';
    return `${allowed}${credentials}${this.#refusal}`;
  }

  /** The response hook of this middleware runs on its reply too, and says whether the origin is allowed. Throws PhotonError forbidden. */
  preflight({ request }: Exchange): Answer {
    // Sound: this is what makes it a preflight.
    const origin = request.combinedValue('origin') as string;
    const method = request.combinedValue('access-control-request-method') as string;
    if (!this.#origins.includes(origin)) throw forbidden('Pages of this origin may not read this.');
    if (!this.#allowsMethod(method)) throw forbidden('Pages may not use this method here.');
    const asked = listOf(request.combinedValue('access-control-request-headers') ?? '');
    if (!asked.every((name) => this.#allowsHeader(name))) throw forbidden('Pages may not send one of these headers.');
    const methods = line('Access-Control-Allow-Methods', method);
    const headers = line('Access-Control-Allow-Headers', asked.join(', '));
    return { status: 204, lines: `${methods}${headers}${this.#maxAge}`, body: '' };
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

const line = (name: string, value: string): string => (value === '' ? '' : `${name}: ${value}\r\n`);

const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => trimBlanks(name).toLowerCase())
    .filter((name) => name !== '');

function forbidden(detail: string): PhotonError {
  return new PhotonError('forbidden', detail);
}
