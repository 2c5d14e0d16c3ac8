import { PhotonError } from '../base/errors.ts';
import { parseAuthority } from '../http/authority.ts';
import { FIELD } from '../http/field-names.ts';
import { isSaneRequestId } from '../http/request-id.ts';
import { ROUTE_METHOD_NOT_ALLOWED, ROUTE_NOT_FOUND } from '../routing/router.ts';
import { redirectToHttps, replyMethodNotAllowed, replyToOptionsAsterisk } from './answer.ts';
import { addForwardedFields, cameSecurely, settleClient } from './client-identity.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import { forward } from './forward.ts';
import type { Generation, RoutePlan } from './generation.ts';
import { MiddlewareChain } from './middleware-chain.ts';
import { outgoingTarget } from './outgoing-target.ts';
import { isPreflight, methodAskedFor } from './preflight.ts';
import { runRequestHooks } from './run-request-hooks.ts';
import { addTraceFields } from './trace-fields.ts';

/**
 * The life of one request. A connection has decoded its head and settled how its body ends; from here on:
 *
 *   1  pin the Generation           the configuration that this request lives and ends with
 *   2  settle the client            its address, as far as the peers on the way are trusted; the request id
 *   3  settle the target            one normal form of path and host, for matching and for the upstream; to HTTPS, if it must
 *   4  route                        404, 405
 *   5  middleware                   in its fixed stages (`middleware.ts`): it may answer, and nothing below happens
 *   6  cache                        look-up: after the middleware, so that a refused request gets nothing from it
 *   7  forward                      choose an upstream, send, judge what comes (`forward.ts`)
 *   8  respond                      head, body with backpressure, end (`respond.ts`)
 *   9  finish                       exactly once, whatever happened (`finish.ts`)
 *
 * A step that fails throws a PhotonError; it becomes a reply in one place (`error-response.ts`).
 */
export function beginExchange(exchange: Exchange): void {
  try {
    const generation = exchange.services.generation;
    exchange.generation = generation;
    if (generation.recordsTimings) exchange.begunMs = exchange.services.nowMs;
    settleClient(exchange, generation);
    settleRequestId(exchange);
    settleTarget(exchange, generation);
    if (exchange.target.form === 'asterisk') replyToOptionsAsterisk(exchange);
    else if (generation.httpsPort !== null && !cameSecurely(exchange)) redirectToHttps(exchange, generation.httpsPort);
    else if (findRoute(exchange, generation)) enterRoute(exchange, generation);
  } catch (error) {
    failExchange(exchange, error);
  }
}

/** The deadline of a route begins before its middleware, which may change the request for the upstream. */
function enterRoute(exchange: Exchange, generation: Generation): void {
  const { timeoutMs, chain, stripPrefix } = exchange.route as RoutePlan;
  exchange.maxBodyBytes = generation.maxBodyBytes;
  exchange.requestDrops = chain.requestDrops;
  exchange.reply.drops = chain.responseDrops;
  exchange.outgoingTarget = outgoingTarget(exchange, stripPrefix);
  addForwardedFields(exchange.requestAdditions, exchange, generation);
  addTraceFields(exchange.requestAdditions, exchange.request.versionMinor, exchange.id);
  if (timeoutMs !== null) exchange.deadline.arm(timeoutMs);
  if (chain === MiddlewareChain.none) forward(exchange);
  else runRequestHooks(exchange);
}

/**
 * A preflight belongs to the route of the request that it asks about, whose CORS middleware answers it: it is one of OPTIONS, which that
 * route need not take.
 */
function findRouteAskedFor(exchange: Exchange, generation: Generation): boolean {
  exchange.methodAskedFor = methodAskedFor(exchange.request);
  const found = generation.router.find(exchange);
  exchange.methodAskedFor = null;
  if (found === ROUTE_NOT_FOUND || found === ROUTE_METHOD_NOT_ALLOWED) return false;
  const plan = generation.routes.at(found);
  if (!plan.chain.middleware.some(({ stage }) => stage === 'cors')) return false;
  exchange.route = plan;
  return true;
}

function settleTarget(exchange: Exchange, generation: Generation): void {
  const { request, target } = exchange;
  if (request.method === 'CONNECT' || request.method === 'TRACE') {
    throw new PhotonError('method_refused', `${request.method} is not served here.`);
  }
  target.parse(request.target, request.method, generation.mergeSlashes);
  // RFC 9112 3.2.2: the authority of an absolute-form target replaces Host, which has to be valid all the same.
  if (request.host !== null) exchange.host = normalHost(request.host);
  if (target.authority !== null) exchange.host = normalHost(target.authority);
  if (request.host === null && target.authority === null) exchange.host = '';
}

/** The last host, as written and normalised: clients of one gateway ask for few hosts. */
let lastWritten = '';
let lastNormal = '';

function normalHost(written: string): string {
  if (written === lastWritten) return lastNormal;
  const { host } = parseAuthority(written);
  lastWritten = written;
  lastNormal = host;
  return host;
}

/** An id from a trusted peer is taken over, so that one request has one id along its whole way. */
function settleRequestId(exchange: Exchange): void {
  exchange.id = (exchange.peerTrusted ? receivedId(exchange) : null) ?? exchange.services.requestIds.next();
}

function receivedId(exchange: Exchange): string | null {
  const field = exchange.request.find(FIELD.X_REQUEST_ID);
  if (field === -1) return null;
  const id = exchange.request.value(field);
  return isSaneRequestId(id) ? id : null;
}

/** Returns false if there is none for this method: then the reply has been sent. */
function findRoute(exchange: Exchange, generation: Generation): boolean {
  if (isPreflight(exchange.request) && findRouteAskedFor(exchange, generation)) return true;
  const found = generation.router.find(exchange);
  if (found === ROUTE_NOT_FOUND) throw new PhotonError('not_found', 'No route matches this host and path.');
  if (found === ROUTE_METHOD_NOT_ALLOWED) {
    replyMethodNotAllowed(exchange, generation.router.allowedMethods(exchange));
    return false;
  }
  exchange.route = generation.routes.at(found);
  return true;
}
