import type { FieldDrops } from '../http/field-drops.ts';
import { FieldList } from '../http/field-list.ts';
import type { OutgoingRequest } from '../http/outgoing.ts';
import { RequestHead } from '../http/request-head.ts';
import type { RequestIdGenerator } from '../http/request-id.ts';
import { RequestTarget } from '../http/target.ts';
import type { DownstreamStream } from '../net/streams.ts';
import type { RoutedRequest } from '../routing/routed-request.ts';
import type { FailedHook } from './failed-hook.ts';
import type { Generation, RoutePlan } from './generation.ts';
import { Reply } from './reply.ts';
import { RequestBody } from './request-body.ts';

/** What the steps of a request get from its worker. */
export interface ContextServices {
  readonly requestIds: RequestIdGenerator;
  /** The configuration to begin new exchanges with. */
  readonly generation: Generation;
  /** The time of the event under way, in milliseconds of a monotonic clock. */
  readonly nowMs: number;
  /** The value of Date for a reply made now. */
  readonly date: string;
  /** Reports an error that is a bug of ours. */
  fault(error: unknown): void;
  /** Reports an error that a middleware let through. */
  middlewareFailed(hook: FailedHook, error: unknown): void;
}

/**
 * The facts of one request and of its reply's head: what the steps of the pipeline settle, and what middleware reads and changes. What may
 * happen to them now is the matter of `Exchange`, which is the only class made of it.
 *
 * It is used again for later requests of the worker: no other object may keep one.
 */
export abstract class ExchangeContext implements RoutedRequest, OutgoingRequest {
  readonly services: ContextServices;
  readonly request: RequestHead;
  readonly target: RequestTarget = new RequestTarget();
  readonly reply: Reply = new Reply();
  readonly body: RequestBody = new RequestBody();
  /** The most fields of each head. */
  readonly maxHeaders: number;

  downstream: DownstreamStream | null = null;
  generation: Generation | null = null;
  route: RoutePlan | null = null;

  id = '';
  /** The host that the request is for, normalised; empty when an HTTP/1.0 client named none. */
  host = '';
  clientAddress = '';
  /** The name of the authenticated client; empty before authentication. */
  consumer = '';
  /** The peer of the connection is a trusted proxy. */
  peerTrusted = false;

  /** Set while a preflight looks for the route of the request that it asks about; null otherwise. */
  methodAskedFor: string | null = null;

  /** The parts of the head that goes upstream. */
  outgoingTarget = '';
  outgoingAuthority = '';
  readonly requestAdditions: FieldList = new FieldList();
  requestDrops: FieldDrops | null = null;
  /** The Host that a middleware has set for the upstream; null for none. */
  hostSet: string | null = null;

  /** Fields of rate limits for the reply, also for one of the gateway. */
  readonly rateLimitFields: FieldList = new FieldList();

  /** For how many middleware of the route the request hook has run, and for how many of them the response hook is still to run. */
  requestHooksRun = 0;
  responseHooksLeft = 0;
  /** How often the request was sent upstream. */
  attempts = 0;
  /** When it began, of `services.nowMs`, if the generation records timings. */
  begunMs = 0;
  /**
   * Counts the requests that this object has been used for. Code that waits for something can see by it whether the request is still the
   * same.
   */
  useCount = 0;

  constructor(services: ContextServices, maxHeaders: number) {
    this.services = services;
    this.maxHeaders = maxHeaders;
    this.request = new RequestHead(maxHeaders);
  }

  /** Resets all state for the next request. */
  clear(): void {
    this.request.clear();
    this.body.clear();
    this.reply.clear();
    this.downstream = null;
    this.generation = null;
    this.route = null;
    this.host = '';
    this.clientAddress = '';
    this.attempts = 0;
    this.consumer = '';
    this.requestAdditions.clear();
    this.rateLimitFields.clear();
    this.requestDrops = null;
    this.hostSet = null;
    this.requestHooksRun = 0;
    this.responseHooksLeft = 0;
    this.useCount++;
  }

  /** While a preflight looks for its route, the method that it asks about. */
  get method(): string {
    return this.methodAskedFor ?? this.request.method;
  }

  get path(): string {
    return this.target.path;
  }

  get query(): string {
    return this.target.query;
  }

  /** The client's connection, or its connection to a trusted proxy, is one of TLS. */
  abstract readonly cameSecurely: boolean;
  /** The head of the reply is out. */
  abstract readonly replyStarted: boolean;
  abstract headerValue(lowerCaseName: string): string | undefined;
  abstract ownValue(lowerCaseName: string): string | undefined;
  abstract keyValue(lowerCaseName: string): string | undefined;

  get editedByMiddleware(): boolean {
    return this.requestHooksRun > 0;
  }
}
