import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PhotonError } from '../../src/base/errors.ts';
import { FRAMING } from '../../src/http/framing.ts';
import type { OutgoingResponse } from '../../src/http/outgoing.ts';
import { RequestIdGenerator } from '../../src/http/request-id.ts';
import type { DownstreamStream, ResponseListener, UpstreamStream } from '../../src/net/streams.ts';
import { TimerWheel } from '../../src/net/timer-wheel.ts';
import { AttemptPool } from '../../src/pipeline/attempt-pool.ts';
import { Exchange, type PipelineServices } from '../../src/pipeline/exchange.ts';
import type { Generation, RoutePlan } from '../../src/pipeline/generation.ts';
import { MiddlewareChain, type Verdict } from '../../src/pipeline/middleware.ts';
import { checkTransition, PHASE, phaseName, TRANSITIONS } from '../../src/pipeline/phase.ts';
import type { PendingRequest } from '../../src/upstream/request-queue.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { settle } from '../support/guard.ts';

const DEADLINE_MS = 20_000;

/** An exchange between a client and an upstream that only note what is asked of them, and a hook whose promises the test settles. */
class Bench {
  nowMs = 0;
  readonly faults: unknown[] = [];
  readonly notes: string[] = [];
  status = 0;
  ended: PhotonError | null | undefined = undefined;
  halfClosed = false;
  clientTakes = true;
  readonly upstream = { full: false, listener: null as ResponseListener | null, sent: 0 };
  pending: PendingRequest | null = null;
  retries = 0;
  request: PromiseWithResolvers<Verdict> | null = null;
  response: PromiseWithResolvers<void> | null = null;
  readonly wheel: TimerWheel;
  readonly exchange: Exchange;

  constructor() {
    this.wheel = new TimerWheel({ nowMs: () => this.nowMs }, (error) => this.faults.push(error));
    this.exchange = new Exchange(this.#services(), 16);
  }

  get phase(): string {
    return phaseName(this.exchange.phase);
  }

  passMs(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += TimerWheel.tickMs;
      this.wheel.advance();
      this.wheel.expire();
    }
  }

  /** A chunked GET, so that it may be sent again and its body may go wrong. */
  begin(): void {
    const { request } = this.exchange;
    Object.assign(request, { method: 'GET', target: '/a', host: 'host.example', framing: FRAMING.CHUNKED });
    this.exchange.requestBegun(this.#downstream());
  }

  #downstream(): DownstreamStream {
    const bench = this;
    const stream: Partial<DownstreamStream> = {
      peer: { address: '192.0.2.7', identity: null, privateConnections: null } as DownstreamStream['peer'],
      get clientHalfClosed() {
        return bench.halfClosed;
      },
      requestComplete: false,
      requestPaused: false,
      pauseRequest: () => {},
      resumeRequest: () => {},
      sendInformational: () => this.notes.push('interim'),
      sendHead: ({ status }: OutgoingResponse) => {
        this.status = status;
      },
      sendData: () => this.clientTakes,
      sendText: () => {},
      sendTrailers: () => {},
      sendEnd: () => this.notes.push('end'),
      abort: () => this.notes.push('abort'),
    };
    return stream as DownstreamStream;
  }

  #acquire(listener: ResponseListener): UpstreamStream | null {
    if (this.upstream.full) return null;
    this.upstream.listener = listener;
    this.upstream.sent++;
    const stream: Partial<UpstreamStream> = {
      reused: false,
      replyUntouched: true,
      unsent: false,
      sendHead: () => {},
      sendData: () => true,
      sendTrailers: () => {},
      sendEnd: () => {},
      pauseResponse: () => this.notes.push('pause'),
      resumeResponse: () => this.notes.push('resume'),
      cancel: () => {
        this.upstream.listener = null;
        this.notes.push('cancel');
      },
    };
    return stream as UpstreamStream;
  }

  #services(): PipelineServices {
    const bench = this;
    const upstream = {
      config: { authority: 'up.example' },
      takeClaim: () => 0,
      acquire: (listener: ResponseListener) => this.#acquire(listener),
    } as unknown as Upstream;
    const queue = {
      hasPending: false,
      timeoutMs: 5000,
      join: (pending: PendingRequest) => {
        this.pending = pending;
        return true;
      },
      leave: () => {
        this.pending = null;
      },
    };
    const backend = {
      overload: {
        queue,
        retryBudget: { countRequest: () => {}, tryAcquire: () => true },
        retryBackoff: { initialMs: 1000, maxMs: 1000 },
      },
      pickPrivate: () => null,
      pick: () => (this.upstream.full ? null : upstream),
      breaker: null,
      sticky: null,
      retryAfterSeconds: 1,
      get current() {
        return backend;
      },
    };
    const chain = new MiddlewareChain([
      {
        name: 'slow',
        stage: 'custom',
        onRequest: () => this.request?.promise,
        onResponse: () => this.response?.promise,
      },
    ]);
    const plan = {
      ...{ number: 0, id: '/a', backend, chain, timeoutMs: DEADLINE_MS, stripPrefix: null, upstreamHost: 'preserve' },
      get retries() {
        return bench.retries;
      },
    } as unknown as RoutePlan;
    const generation = {
      ...{ recordsTimings: false, httpsPort: null, mergeSlashes: true, maxBodyBytes: 100, claimFields: null },
      ...{ trustedProxies: { includes: () => false }, middlewareTimeoutMs: 3000 },
      router: { find: () => 0 },
      routes: { at: () => plan },
    } as unknown as Generation;
    return {
      ...{ wheel: this.wheel, attempts: new AttemptPool(), random: () => 0.999, requestIds: new RequestIdGenerator() },
      ...{ generation, nowMs: 0, date: 'Sun, 06 Nov 1994 08:49:37 GMT' },
      fault: (error) => this.faults.push(error),
      middlewareFailed: () => this.notes.push('middleware failed'),
      settle: () => {},
      exchangeFinished: (_exchange, error) => {
        assert.equal(this.ended, undefined, 'an exchange ends once');
        this.ended = error;
      },
    };
  }
}

/** How an exchange gets into each phase, by a name that also says of whom the reply is. */
const WAYS: Readonly<Record<string, (bench: Bench) => void>> = {
  REQUEST_HOOKS: (bench) => {
    bench.request = Promise.withResolvers();
    bench.begin();
  },
  QUEUED: (bench) => {
    bench.upstream.full = true;
    bench.begin();
  },
  BACKOFF: (bench) => {
    bench.retries = 1;
    bench.begin();
    bench.upstream.listener?.responseFailed(new PhotonError('upstream_connect_failed', 'It is gone.'));
  },
  ATTEMPTING: (bench) => bench.begin(),
  'RESPONSE_HOOKS, reply of the upstream': (bench) => {
    bench.response = Promise.withResolvers();
    bench.begin();
    answer(bench);
  },
  'RESPONSE_HOOKS, error response': (bench) => {
    bench.response = Promise.withResolvers();
    bench.begin();
    bench.exchange.fail(new PhotonError('body_too_large', 'It is too large.'));
  },
  'REPLYING, reply of the upstream': (bench) => {
    bench.begin();
    answer(bench);
  },
};

function answer(bench: Bench): void {
  const { listener } = bench.upstream;
  assert.ok(listener !== null);
  Object.assign(listener.response, { status: 200, framing: FRAMING.CHUNKED });
  listener.responseBegun();
}

const piece = Buffer.from('some bytes');
const bad = (code: 'malformed_message' | 'client_closed') => new PhotonError(code, 'It went wrong.');

const EVENTS: Readonly<Record<string, (bench: Bench) => void | Promise<void>>> = {
  'a piece of the body': ({ exchange }) => exchange.requestData(piece, 0, piece.length),
  'a body that is too large': ({ exchange }) => exchange.requestData(Buffer.alloc(101), 0, 101),
  'the end of the body': ({ exchange }) => exchange.requestEnded(),
  'a bad body': ({ exchange }) => exchange.requestFailed(bad('malformed_message')),
  'client gone': ({ exchange }) => exchange.requestFailed(bad('client_closed')),
  'client half-closed': (bench) => {
    bench.halfClosed = true;
    bench.exchange.clientHalfClosed();
  },
  deadline: ({ exchange }) => exchange.timerExpired(exchange.deadline),
  'the wait is over': (bench) => bench.passMs(6000),
  'a hook settles': async (bench) => {
    bench.request?.resolve(undefined);
    bench.response?.resolve();
    await settle();
  },
  'a hook fails': async (bench) => {
    bench.request?.reject(new Error('a bug'));
    bench.response?.reject(new Error('a bug'));
    await settle();
  },
  'room in the queue': (bench) => {
    bench.upstream.full = false;
    bench.pending?.tryDispatch();
  },
  'interim reply': ({ upstream }) => upstream.listener?.responseInformational(),
  head: (bench) => answer(bench),
  data: ({ upstream }) => upstream.listener?.responseData(piece, 0, piece.length),
  'the end of the reply': ({ upstream }) => upstream.listener?.responseEnded(),
  'attempt fails': ({ upstream }) => upstream.listener?.responseFailed(new PhotonError('upstream_reset', 'It broke.')),
  'client takes all': ({ exchange }) => exchange.responseWritable(),
};

/** The phase after each event, with the status that the client has by then; `same`: nothing changes; `-`: it cannot happen. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  //                            REQUEST_HOOKS QUEUED         BACKOFF       ATTEMPTING        HOOKS, upstream   HOOKS, error   REPLYING
  'a piece of the body': /*  */ ['same', 'same', 'same', 'same', 'same', 'same', 'same'],
  'a body that is too large': ['OVER 413', 'OVER 413', 'OVER 413', 'OVER 413', 'OVER 413', 'same', 'OVER 200 cut'],
  'the end of the body': ['same', 'same', 'same', 'same', 'same', 'same', 'same'],
  'a bad body': ['OVER 400', 'OVER 400', 'OVER 400', 'OVER 400', 'OVER 400', 'same', 'OVER 200 cut'],
  'client gone': ['OVER 0 cut', 'OVER 0 cut', 'OVER 0 cut', 'OVER 0 cut', 'OVER 0 cut', 'OVER 0 cut', 'OVER 200 cut'],
  'client half-closed': ['same', 'OVER 0 cut', 'same', 'same', 'same', 'same', 'same'],
  deadline: ['OVER 504', 'OVER 504', 'OVER 504', 'OVER 408', 'OVER 504', 'OVER 413', 'OVER 200 cut'],
  'the wait is over': ['same', 'OVER 503', 'ATTEMPTING', 'same', 'same', 'same', 'same'],
  'a hook settles': ['ATTEMPTING', 'same', 'same', 'same', 'REPLYING 200', 'OVER 413', 'same'],
  'a hook fails': ['OVER 500', 'same', 'same', 'same', 'OVER 500', 'OVER 413', 'same'],
  'room in the queue': ['same', 'ATTEMPTING', 'same', 'same', 'same', 'same', 'same'],
  'interim reply': ['-', '-', '-', 'same', '-', '-', '-'],
  head: ['-', '-', '-', 'REPLYING 200', '-', '-', '-'],
  data: ['-', '-', '-', '-', 'same', '-', 'same'],
  'the end of the reply': ['-', '-', '-', '-', 'same', '-', 'OVER 200'],
  'attempt fails': ['-', '-', '-', 'OVER 502', 'OVER 502', '-', 'OVER 200 cut'],
  'client takes all': ['same', 'same', 'same', 'same', 'same', 'same', 'same'],
};

/** The phase, the status that the client has, and whether its reply was cut. */
function stateOf({ phase, status, notes }: Bench): string {
  return `${phase} ${status}${notes.includes('abort') ? ' cut' : ''}`;
}

describe('an exchange', () => {
  for (const [event, row] of Object.entries(TABLE)) {
    for (const [at, way] of Object.keys(WAYS).entries()) {
      const expected = row[at] ?? assert.fail('the table has a row for each event');
      if (expected === '-') continue;
      test(`in ${way}: ${event} leads to ${expected}`, async () => {
        const bench = new Bench();
        WAYS[way]?.(bench);
        assert.equal(bench.phase, way.split(',')[0]);
        const before = stateOf(bench);
        await EVENTS[event]?.(bench);
        const after = stateOf(bench);
        assert.equal(expected === 'same' ? after : after.replace(/ 0$/, ''), expected === 'same' ? before : expected);
        assert.deepEqual(bench.faults, []);
        const isOver = bench.phase === 'OVER';
        assert.equal(bench.ended !== undefined, isOver, 'it is finished when it is over, and not before');
        if (!isOver) return;
        assert.notEqual(bench.exchange.attempt?.open, true, 'no stream is left');
        assert.equal(bench.pending, null);
        assert.equal(bench.exchange.deadline.armed || bench.exchange.waitTimer.armed, false, 'no timer is left');
      });
    }
  }

  test('in REPLYING pauses its upstream while its client takes nothing, and resumes it then', () => {
    const bench = new Bench();
    WAYS['REPLYING, reply of the upstream']?.(bench);
    bench.clientTakes = false;
    EVENTS['data']?.(bench);
    assert.deepEqual(bench.notes, ['pause']);
    EVENTS['client takes all']?.(bench);
    assert.deepEqual(bench.notes, ['pause', 'resume']);
  });

  test('meets every event in every phase of the table', () => {
    assert.deepEqual(Object.keys(TABLE).toSorted(), Object.keys(EVENTS).toSorted());
    for (const row of Object.values(TABLE)) assert.equal(row.length, Object.keys(WAYS).length);
  });

  test('stays in its phase when a step asks for one that must not follow', () => {
    const bench = new Bench();
    assert.throws(() => bench.exchange.enter(PHASE.REPLYING), /an exchange in FREE entered REPLYING/);
    assert.equal(bench.phase, 'FREE');
  });

  test('throws on every transition that is not drawn, and on no other', () => {
    for (const from of Object.values(PHASE)) {
      for (const to of Object.values(PHASE)) {
        const work = () => checkTransition(from, to);
        if (TRANSITIONS[from].includes(to)) assert.doesNotThrow(work);
        else assert.throws(work, /an exchange in [A-Z_]+ entered [A-Z_]+/);
      }
    }
  });
});
