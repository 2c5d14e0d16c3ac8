import { usualAddress } from '../base/address.ts';
import type { BackendConfig, Config, RouteConfig } from '../config/config.ts';
import { isActive } from '../config/not-yet.ts';
import { middlewareOf } from '../pipeline/build-generation.ts';
import { type RankedRule, rankRules } from '../routing/ranking.ts';
import { headOfLines, linesOfHead } from '../wire/h1/head-lines.ts';
import { explainCandidates } from './candidates.ts';
import { explainChoice, hashedKey } from './choice.ts';
import { DryRun, type DryRunOutcome } from './dry-run.ts';
import type {
  ExplainedBackend,
  ExplainedCache,
  ExplainedClient,
  ExplainedMiddleware,
  ExplainedResult,
  ExplainedRoute,
  ExplainedSent,
  ExplainedTarget,
  Explanation,
} from './explanation.ts';
import { type Inquiry, namesHost } from './inquiry.ts';
import { chooseListener, type ListenerChoice } from './listener-choice.ts';

/** Says what a configuration does with requests: the data path itself runs, without sockets. */
export class Explainer {
  readonly #config: Config;
  readonly #dryRun: DryRun;
  readonly #ranked: readonly RankedRule[];

  /**
   * `httpsPort`: of the first listener for HTTPS where the system has chosen it; by default the one configured. Throws an Error
   * where the configuration cannot serve.
   */
  constructor(config: Config, httpsPort: number | null = configuredPort(config)) {
    this.#config = config;
    this.#dryRun = new DryRun(config, httpsPort);
    this.#ranked = rankRules(config.routes);
  }

  explain(inquiry: Inquiry): Explanation {
    const listener = chooseListener(this.#config.server, inquiry);
    if (listener === null) return noListener(inquiry);
    const { address, scheme, localAddress, localPort, note } = listener;
    const outcome = this.#dryRun.run(headOf(inquiry, listener), {
      // As a socket would tell it.
      address: usualAddress(inquiry.from) ?? inquiry.from,
      localAddress,
      localPort,
      scheme,
    });
    return {
      request: requestOf(inquiry),
      listener: { address, scheme, note },
      client: clientOf(outcome, inquiry),
      target: targetOf(outcome),
      result: resultOf(outcome),
      ...this.#explainRouting(outcome),
    };
  }

  #explainRouting(
    outcome: DryRunOutcome,
  ): Pick<Explanation, 'route' | 'candidates' | 'otherRoutes' | 'backend' | 'sent'> {
    const { exchange } = outcome;
    const index = exchange.route?.number ?? null;
    if (!wasRouted(outcome)) return { route: null, candidates: [], otherRoutes: 0, backend: null, sent: null };
    const { shown, others } = explainCandidates(this.#ranked, this.#config.routes, exchange, index);
    const routing = { candidates: shown, otherRoutes: others };
    if (index === null) return { route: null, ...routing, backend: null, sent: null };
    // Sound: the routes of a generation are those of its configuration.
    const route = this.#config.routes[index] as RouteConfig;
    return {
      route: this.#explainRoute(route, index, exchange.path),
      ...routing,
      backend: explainBackend(this.#backendOf(route), outcome),
      sent: sentOf(outcome),
    };
  }

  #backendOf({ backend }: RouteConfig): BackendConfig {
    // Sound: loading a configuration checks that the backend of every route exists.
    return this.#config.backends.find(({ name }) => name === backend) as BackendConfig;
  }

  #explainRoute(route: RouteConfig, index: number, path: string): ExplainedRoute {
    const { id, path: pattern, timeoutMs, retries } = route;
    return {
      id,
      rank: this.#ranked.findIndex((ranked) => ranked.index === index) + 1,
      path: pattern,
      pathParameters: this.#dryRun.generation.router.pathParameters(index, path),
      middleware: this.#explainMiddleware(route, index),
      cache: this.#explainCache(route),
      timeoutMs,
      retries,
    };
  }

  /** In the order of the stages. */
  #explainMiddleware(route: RouteConfig, index: number): readonly ExplainedMiddleware[] {
    const entries = middlewareOf(route, this.#config.server.middleware);
    const overridesOf = (wanted: string) => entries.find(({ name }) => name === wanted)?.overrides ?? {};
    const { middleware } = this.#dryRun.generation.routes.at(index).chain;
    return middleware.map(({ name, stage }) => ({ name, stage, overrides: overridesOf(name) }));
  }

  #explainCache({ cache: ofRoute }: RouteConfig): ExplainedCache {
    const { cache } = this.#config;
    return {
      active: isActive('cache'),
      enabled: ofRoute.enabled ?? cache.enabled,
      ttlMs: ofRoute.ttlMs ?? cache.defaultTtlMs,
      maxBodyBytes: ofRoute.maxBodyBytes ?? cache.maxBodyBytes,
      withQueryParams: ofRoute.cacheWithQueryParams ?? cache.cacheWithQueryParams,
      key: null,
    };
  }
}

/** The port of the first listener for HTTPS that is no Unix socket; null without one. */
function configuredPort({ server }: Config): number | null {
  return server.httpsAddr.find(({ path }) => path === null)?.port ?? null;
}

/** If no field names a host, Host is the one of a client that connects to the listener. */
function headOf({ method, target, fields }: Inquiry, { address }: ListenerChoice): string {
  const host =
    address.startsWith('unix:') || address.startsWith(':') ? `localhost${address.replace(/^unix:.*/, '')}` : address;
  const lines = namesHost(fields) ? fields : [`Host: ${host}`, ...fields];
  return headOfLines([`${method} ${target} HTTP/1.1`, ...lines]);
}

function requestOf({ method, target, from }: Inquiry): Explanation['request'] {
  return { method, target, from };
}

function noListener(inquiry: Inquiry): Explanation {
  return {
    request: requestOf(inquiry),
    listener: null,
    client: null,
    target: null,
    result: { kind: 'no-listener', detail: `no listener speaks ${inquiry.scheme ?? 'http'}` },
    route: null,
    candidates: [],
    otherRoutes: 0,
    backend: null,
    sent: null,
  };
}

/** The codes of errors that leave no target to look up. */
const WITHOUT_TARGET: ReadonlySet<string> = new Set(['bad_target', 'bad_host', 'method_refused']);

function hasTarget(outcome: DryRunOutcome): boolean {
  return !outcome.headRefused && !(outcome.error !== null && WITHOUT_TARGET.has(outcome.error.code));
}

function wasRouted(outcome: DryRunOutcome): boolean {
  const { exchange, error, reply } = outcome;
  if (!hasTarget(outcome)) return false;
  // `OPTIONS *` and a redirect are replies without an error, and come before any route is looked for.
  return exchange.route !== null || reply === null || error !== null;
}

function clientOf(outcome: DryRunOutcome, { from }: Inquiry): ExplainedClient | null {
  if (outcome.headRefused) return null;
  const { clientAddress, peerTrusted } = outcome.exchange;
  return { address: clientAddress, peer: from, peerTrusted };
}

function targetOf(outcome: DryRunOutcome): ExplainedTarget | null {
  if (!hasTarget(outcome)) return null;
  const { host, target } = outcome.exchange;
  return { host, path: target.path, query: target.hasQuery ? target.query : null };
}

function resultOf({ reply, error }: DryRunOutcome): ExplainedResult {
  if (reply === null) return { kind: 'forwarded' };
  return { kind: 'answered', ...reply, code: error?.code ?? null, detail: error?.message ?? null };
}

function explainBackend(backend: BackendConfig, { exchange }: DryRunOutcome): ExplainedBackend {
  const { name, algorithm, sticky, upstreams } = backend;
  const sum = upstreams.reduce((total, { weight }) => total + weight, 0);
  return {
    name,
    algorithm,
    key: hashedKey(backend),
    stickyCookie: sticky?.cookie ?? null,
    choice: explainChoice(backend, exchange),
    upstreams: upstreams.map(({ address, tls, weight, connectionTimeoutMs, readTimeoutMs, writeTimeoutMs }) => ({
      address,
      tls,
      weight,
      share: weight / sum,
      connectTimeoutMs: connectionTimeoutMs,
      readTimeoutMs,
      writeTimeoutMs,
    })),
  };
}

function sentOf({ exchange, sentHead }: DryRunOutcome): ExplainedSent | null {
  const upstream = exchange.attempt?.upstream ?? null;
  if (sentHead === null || upstream === null) return null;
  const { address, sendProxyProtocol } = upstream.config;
  return { upstream: address, proxyHeader: sendProxyProtocol, head: linesOfHead(sentHead) };
}
