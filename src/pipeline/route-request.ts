import { PhotonError } from '../base/errors.ts';
import { FieldGroup } from '../base/field-group.ts';
import { LastText } from '../base/last-text.ts';
import { parseAuthority } from '../http/authority.ts';
import { FIELD } from '../http/field-names.ts';
import { COMMON_METHODS } from '../http/methods.ts';
import { isSaneRequestId } from '../http/request-id.ts';
import { ROUTE_METHOD_NOT_ALLOWED, ROUTE_NOT_FOUND } from '../routing/router.ts';
import { addOwnFields, settleClient } from './client-identity.ts';
import type { ExchangeContext } from './exchange-context.ts';
import type { Generation, RoutePlan } from './generation.ts';
import type { Answer } from './middleware.ts';
import { outgoingTarget } from './outgoing-target.ts';
import { isPreflight, methodAskedFor } from './preflight.ts';

/**
 * The first steps of every request, from its head to its route. A connection has decoded the head and settled how the body ends, and the
 * exchange has pinned its generation; from here on:
 *
 *   1  settle the client    its address, as far as the peers on the way are trusted; the request id
 *   2  settle the target    one normal form of path and host, for matching and for the upstream; to HTTPS, if it must
 *   3  route                404, 405
 *   4  prepare the head that goes upstream, which middleware may change
 *
 * Returns undefined when a route is found, or else the reply. Throws PhotonError for a request that is refused.
 */
export function routeRequest(exchange: ExchangeContext): Answer | PhotonError | undefined {
  // Sound: the exchange has pinned it.
  const generation = exchange.generation as Generation;
  settleClient(exchange, generation);
  settleRequestId(exchange);
  settleTarget(exchange, generation);
  if (exchange.target.form === 'asterisk') return answerToOptionsAsterisk();
  if (generation.httpsPort !== null && !exchange.cameSecurely) return redirectToHttps(exchange, generation.httpsPort);
  const refusal = findRoute(exchange, generation);
  if (refusal === undefined) prepareHead(exchange, generation, exchange.route as RoutePlan);
  return refusal;
}

/** RFC 9110 9.3.7: `OPTIONS *` asks about the server itself, so it is answered here. */
function answerToOptionsAsterisk(): Answer {
  return { status: 204, fields: [['Allow', COMMON_METHODS]], body: '' };
}

/** RFC 9110 15.4.9: 308 keeps method and body. The port is left out if it is the scheme's default. */
function redirectToHttps({ host, target }: ExchangeContext, port: number): Answer {
  if (host === '') throw new PhotonError('bad_host', 'Without Host nobody can say where HTTPS is.');
  const query = target.hasQuery ? `?${target.query}` : '';
  const location = `https://${host}${port === 443 ? '' : `:${port}`}${target.path}${query}`;
  return { status: 308, fields: [['Location', location]], body: '' };
}

function prepareHead(exchange: ExchangeContext, generation: Generation, { chain, stripPrefix }: RoutePlan): void {
  exchange.body.maxBytes = generation.maxBodyBytes;
  exchange.requestDrops = chain.requestDrops;
  exchange.reply.drops = chain.responseDrops;
  exchange.outgoingTarget = outgoingTarget(exchange, stripPrefix);
  addOwnFields(exchange.requestAdditions, exchange, generation);
}

/**
 * A preflight belongs to the route of the request that it asks about, whose CORS middleware answers it: it is one of OPTIONS, which that
 * route need not take.
 */
function findRouteAskedFor(exchange: ExchangeContext, generation: Generation): boolean {
  exchange.methodAskedFor = methodAskedFor(exchange.request);
  const found = generation.router.find(exchange);
  exchange.methodAskedFor = null;
  if (found === ROUTE_NOT_FOUND || found === ROUTE_METHOD_NOT_ALLOWED) return false;
  const plan = generation.routes.at(found);
  if (!plan.chain.middleware.some(({ stage }) => stage === 'cors')) return false;
  exchange.route = plan;
  return true;
}

function settleTarget(exchange: ExchangeContext, generation: Generation): void {
  const { request, target } = exchange;
  if (request.method === 'CONNECT' || request.method === 'TRACE') {
    throw new PhotonError('method_refused', `${request.method} is not served here.`);
  }
  target.parse(request.target, request.method, generation.mergeSlashes);
  // RFC 9112 3.2.2: the authority of an absolute-form target replaces Host, which has to be valid all the same.
  if (request.host !== null) exchange.host = normalHost.of(request.host);
  if (target.authority !== null) exchange.host = normalHost.of(target.authority);
  if (request.host === null && target.authority === null) exchange.host = '';
}

/** A host as it was written, normalised: clients of one gateway ask for few hosts. */
const normalHost = new LastText((written) => parseAuthority(written).host);

/** An id from a trusted peer is taken over, so that one request has one id along its whole way. */
function settleRequestId(exchange: ExchangeContext): void {
  exchange.id = (exchange.peerTrusted ? receivedId(exchange) : null) ?? exchange.services.requestIds.next();
}

function receivedId(exchange: ExchangeContext): string | null {
  const field = exchange.request.find(FIELD.X_REQUEST_ID);
  if (field === -1) return null;
  const id = exchange.request.value(field);
  return isSaneRequestId(id) ? id : null;
}

/** Returns undefined when the exchange has its route, or else why there is none. */
function findRoute(exchange: ExchangeContext, generation: Generation): PhotonError | undefined {
  if (isPreflight(exchange.request) && findRouteAskedFor(exchange, generation)) return;
  const found = generation.router.find(exchange);
  if (found === ROUTE_NOT_FOUND) return new PhotonError('not_found', 'No route matches this host and path.');
  if (found === ROUTE_METHOD_NOT_ALLOWED) return methodNotAllowed(generation.router.allowedMethods(exchange));
  exchange.route = generation.routes.at(found);
  return;
}

/** The path has routes, but none for this method; `allow` lists the methods that have one. */
function methodNotAllowed(allow: string): PhotonError {
  return new PhotonError('method_not_allowed', `This path takes ${allow}.`, new FieldGroup([['Allow', allow]]));
}
