import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PhotonError } from '../../src/base/errors.ts';
import { createSharedMemory, SharedCount } from '../../src/memory/shared-memory.ts';
import { UpstreamState } from '../../src/memory/upstream-state.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from '../../src/net/streams.ts';
import type { UpstreamConnection, UpstreamConnectionOwner } from '../../src/net/upstream-connection.ts';
import { ConnectionPool, type PooledUpstream } from '../../src/upstream/connection-pool.ts';
import { MemoryNet } from '../net/memory-connection.ts';
import { ReplyRecorder } from '../net/reply-recorder.ts';

const PEER: DownstreamPeer = {
  address: '192.0.2.7',
  port: 4711,
  localAddress: '192.0.2.1',
  localPort: 8080,
  scheme: 'http',
  certificateSubject: null,
  identity: null,
  privateConnections: null,
};

const LIMITS = {
  connectTimeoutMs: 5000,
  readTimeoutMs: 30_000,
  writeTimeoutMs: 20_000,
  idleTimeoutMs: 55_000,
  maxHeadBytes: 4096,
};

/** A stream of which only the connection matters. */
class FakeStream implements UpstreamStream {
  readonly reused = false;
  readonly replyUntouched = true;
  readonly unsent = true;
  readonly listener: ResponseListener;
  readonly #connection: FakeConnection;

  constructor(connection: FakeConnection, listener: ResponseListener) {
    this.#connection = connection;
    this.listener = listener;
  }

  sendHead(): void {}
  sendData(): boolean {
    return true;
  }
  sendTrailers(): void {}
  sendEnd(): void {}
  pauseResponse(): void {}
  resumeResponse(): void {}

  cancel(): void {
    this.#connection.ends(this);
  }
}

/** A connection that carries three streams, as one of another protocol would. */
class FakeConnection implements UpstreamConnection {
  readonly owner: UpstreamConnectionOwner;
  readonly openedMs: number;
  readonly privateTo = null;
  readonly evicting = false;
  capacity = 3;
  /** In the order in which they began. */
  carried: FakeStream[] = [];
  isClosed = false;

  constructor(owner: UpstreamConnectionOwner, openedMs: number) {
    this.owner = owner;
    this.openedMs = openedMs;
  }

  get streams(): number {
    return this.carried.length;
  }

  acquire(listener: ResponseListener): UpstreamStream {
    assert.ok(this.streams < this.capacity, 'the pool knows how many it carries');
    const stream = new FakeStream(this, listener);
    this.carried.push(stream);
    return stream;
  }

  ends(stream: FakeStream): void {
    this.carried.splice(this.carried.indexOf(stream), 1);
    this.owner.streamReleased(this);
    stream.listener.responseEnded();
  }

  evict(): void {
    this.close();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.capacity = 0;
    const failed = this.carried;
    this.carried = [];
    for (const _each of failed) this.owner.streamReleased(this);
    this.owner.connectionClosed(this, null);
    for (const { listener } of failed) listener.responseFailed(new PhotonError('upstream_reset', 'It is gone.'));
  }
}

/** A pool of such connections. */
class Bench implements PooledUpstream {
  readonly key = 'origin';
  readonly limits = LIMITS;
  readonly net = new MemoryNet();
  readonly connections: FakeConnection[] = [];
  readonly log: string[] = [];
  readonly recorders: ReplyRecorder[] = [];
  readonly state: UpstreamState;
  readonly pool: ConnectionPool;
  readonly singleUse: boolean;
  readonly maxConnections: number | null;
  readonly #shared = createSharedMemory({ backends: [{ upstreams: [{}] }] }, 2);
  readonly #allSockets = SharedCount.sockets(this.#shared, 0);

  constructor({ singleUse = false, maxConnections = null as number | null } = {}) {
    this.singleUse = singleUse;
    this.maxConnections = maxConnections;
    const slot = { memory: this.#shared, number: 0 };
    this.state = new UpstreamState(slot);
    const log = { warn: (event: string) => this.log.push(event) };
    const context = { io: this.net.io, log, allSockets: this.#allSockets, maxSockets: 100 };
    this.pool = new ConnectionPool(this, context, { slot, backend: slot, row: 0 });
  }

  connect(pool: UpstreamConnectionOwner): UpstreamConnection {
    const connection = new FakeConnection(pool, this.net.io.wheel.nowMs);
    this.connections.push(connection);
    return connection;
  }

  connectionFailed(): void {}
  outOfDescriptors(): void {}

  /** Begins so many streams. */
  begin(count: number): readonly (UpstreamStream | null)[] {
    return Array.from({ length: count }, () => {
      const recorder = new ReplyRecorder();
      this.recorders.push(recorder);
      return this.pool.acquire(recorder, false, PEER);
    });
  }

  /** How many streams each connection carries. */
  get carried(): readonly number[] {
    return this.connections.map(({ streams }) => streams);
  }

  connection(number: number): FakeConnection {
    return this.connections[number] ?? assert.fail(`no connection ${number}`);
  }

  /** The first stream of a connection is over. */
  firstEnds(number: number): void {
    const [stream = assert.fail('it carries none')] = this.connection(number).carried;
    stream.cancel();
  }

  get counts(): { readonly streams: number; readonly sockets: number; readonly all: number; readonly idle: number } {
    const slot = { memory: this.#shared, number: 0 };
    return {
      streams: this.pool.inFlight,
      sockets: SharedCount.upstreamSockets(slot, 0).total,
      all: this.#allSockets.total,
      idle: this.pool.idleCount,
    };
  }
}

const NOTHING = { streams: 0, sockets: 0, all: 0, idle: 0 };

describe('a connection that carries three streams', () => {
  test('is shared by three, and a fourth opens another one: sockets and streams are counted apart', () => {
    const bench = new Bench();
    bench.begin(3);
    assert.deepEqual([bench.carried, bench.counts], [[3], { streams: 3, sockets: 1, all: 1, idle: 0 }]);
    bench.begin(1);
    assert.deepEqual([bench.carried, bench.counts], [[3, 1], { streams: 4, sockets: 2, all: 2, idle: 0 }]);
  });

  test('is full for the fourth if there may be no other one, which waits until a stream is over', () => {
    const bench = new Bench({ maxConnections: 1 });
    let wakes = 0;
    bench.pool.limiter.addWaiter({ wake: () => wakes++ });
    assert.ok(bench.begin(3).every((stream) => stream !== null));
    assert.ok(!bench.pool.hasCapacity);
    assert.deepEqual(bench.begin(1), [null]);
    assert.equal(wakes, 0);
    bench.firstEnds(0);
    assert.equal(wakes, 1);
    assert.ok(bench.pool.hasCapacity);
    assert.notDeepEqual(bench.begin(1), [null]);
    assert.deepEqual([bench.carried, bench.counts.sockets], [[3], 1]);
  });

  test('gets another stream before one that is idle, which so reaches its idle timeout; the first is filled first', () => {
    const bench = new Bench();
    bench.begin(6);
    for (const number of [0, 0, 0, 1]) bench.firstEnds(number);
    assert.deepEqual([bench.carried, bench.counts.idle], [[0, 2], 1]);
    bench.begin(1);
    assert.deepEqual(bench.carried, [0, 3]);
    bench.begin(1);
    assert.deepEqual([bench.carried, bench.counts.idle], [[1, 3], 0]);
    bench.firstEnds(1);
    bench.begin(2);
    assert.deepEqual(bench.carried, [3, 2]);
  });

  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    test(`is idle when all of its streams are over, in whatever order: ${order.join(', ')}`, () => {
      const bench = new Bench();
      const streams = bench.begin(3);
      for (const [over, number] of order.entries()) {
        assert.equal(bench.counts.idle, 0);
        streams[number]?.cancel();
        assert.equal(bench.counts.streams, 2 - over);
      }
      assert.deepEqual(bench.counts, { streams: 0, sockets: 1, all: 1, idle: 1 });
      bench.pool.closeIdle();
      assert.deepEqual(bench.counts, NOTHING);
    });
  }

  test('fails its streams when it closes, and nothing of it is counted any more', () => {
    const bench = new Bench({ maxConnections: 1 });
    let wakes = 0;
    bench.pool.limiter.addWaiter({ wake: () => wakes++ });
    bench.begin(2);
    assert.deepEqual(bench.counts, { streams: 2, sockets: 1, all: 1, idle: 0 });
    bench.connection(0).close();
    assert.deepEqual(
      bench.recorders.map(({ story }) => story),
      [['failed upstream_reset'], ['failed upstream_reset']],
    );
    assert.deepEqual([bench.counts, bench.pool.inUse, wakes], [NOTHING, false, 1]);
    assert.ok(bench.pool.hasCapacity);
    bench.begin(1);
    assert.deepEqual(bench.carried, [0, 1]);
    assert.deepEqual(bench.net.faults, []);
  });

  test('gets no other stream once its peer allows no more, though some are under way', () => {
    const bench = new Bench();
    bench.begin(2);
    bench.connection(0).capacity = 0;
    bench.begin(1);
    bench.firstEnds(0);
    bench.begin(1);
    assert.deepEqual(bench.carried, [1, 2]);
  });

  for (const { why, options, happens } of [
    { why: 'speaks for one client', options: { singleUse: true }, happens: () => {} },
    {
      why: 'is of an upstream that has sent unsolicited bytes',
      happens: ({ pool }: Bench) => pool.unsolicitedBytes(),
    },
    { why: 'is an hour old', happens: ({ net }: Bench) => net.pass(3_601_000) },
    { why: 'is of an upstream that is retired', happens: ({ pool }: Bench) => pool.retire() },
  ]) {
    test(`is not shared if it ${why}, and is closed when its streams are over`, () => {
      const bench = new Bench(options);
      bench.begin(1);
      happens(bench);
      bench.begin(1);
      assert.deepEqual(bench.carried, [1, 1]);
      bench.firstEnds(0);
      assert.ok(bench.connection(0).isClosed);
    });
  }
});

describe('a broken invariant of a connection', () => {
  test('whose stream is released twice is reported, and ends it: nothing stays counted', () => {
    const bench = new Bench();
    bench.begin(1);
    bench.firstEnds(0);
    bench.pool.streamReleased(bench.connection(0));
    assert.match(String(bench.net.faults), /a stream was released twice: 0 of 3 streams here, 0 on 1 connections/);
    assert.ok(bench.connection(0).isClosed);
    assert.deepEqual(bench.counts, NOTHING);
  });

  test('that waits for a stream although it carries one is reported, and another one carries the next', () => {
    const bench = new Bench();
    bench.begin(1);
    bench.firstEnds(0);
    bench.connection(0).acquire(new ReplyRecorder());
    bench.begin(1);
    assert.match(String(bench.net.faults), /waited for a stream although it carries one: 1 of 3 streams here/);
    assert.ok(bench.connection(0).isClosed);
    assert.deepEqual(bench.carried, [0, 1]);
  });

  test('whose stream is never released is reported with its last connection: it is not in flight for ever', () => {
    const bench = new Bench();
    bench.begin(2);
    bench.connection(0).carried.pop();
    bench.connection(0).close();
    assert.match(String(bench.net.faults), /in flight without a connection: 0 of 0 streams here, 1 on 0 connections/);
    assert.deepEqual(bench.counts, NOTHING);
    bench.begin(1);
    bench.firstEnds(1);
    assert.deepEqual([bench.counts.streams, bench.net.faults.length], [0, 1]);
  });

  test('that closes before its streams are released is reported, and they are not counted any more', () => {
    const bench = new Bench();
    bench.begin(2);
    bench.pool.connectionClosed(bench.connection(0), null);
    assert.match(String(bench.net.faults), /was closed before its streams were released: 2 of 3 streams here/);
    assert.deepEqual(bench.counts, NOTHING);
  });
});
