import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpstreamConfig } from '../../src/config/config.ts';
import { createSharedMemory, SharedCount, type SharedMemory } from '../../src/memory/shared-memory.ts';
import type { DownstreamPeer } from '../../src/net/streams.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { sceneConfig, sceneContext } from '../contract/scene.ts';
import { type MemoryConnection, MemoryNet } from '../net/memory-connection.ts';
import { ReplyRecorder, sendRequest } from '../net/reply-recorder.ts';

const WORKERS = 2;
const DONE = 'HTTP/1.1 204 No Content\r\n\r\n';

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

const [anUpstream = assert.fail()] = sceneConfig().backends[0]?.upstreams ?? [];

/** One upstream as a worker has it. */
class Bench {
  readonly net = new MemoryNet();
  readonly shared: SharedMemory;
  readonly upstream: Upstream;

  constructor(settings: Partial<UpstreamConfig> = {}, shared?: SharedMemory, row = 0) {
    this.shared = shared ?? createSharedMemory({ backends: [{ upstreams: [{}] }] }, WORKERS);
    this.upstream = new Upstream(
      { ...anUpstream, ...settings },
      { ...sceneContext(this.net, this.shared, row), maxHeadBytes: 4096 },
      { slot: { memory: this.shared, number: 0 }, backend: { memory: this.shared, number: 0 }, row },
    );
  }

  get sockets(): number {
    return SharedCount.upstreamSockets({ memory: this.shared, number: 0 }, 0).total;
  }

  /** Begins an exchange. `on` is the number of the connection that it went to. */
  acquire({ newConnection = false, peer = PEER } = {}): {
    readonly heard: ReplyRecorder;
    readonly on: number;
    readonly reused: boolean;
  } {
    const heard = new ReplyRecorder();
    const before = this.net.writes;
    const stream = this.upstream.acquire(heard, newConnection, peer) ?? assert.fail('the upstream is at its limit');
    this.net.event(() => sendRequest(stream));
    const on = this.net.outgoing.findIndex(({ lastWrite }) => lastWrite > before);
    this.connection(on).opens();
    return { heard, on, reused: stream.reused };
  }

  connection(number: number): MemoryConnection {
    return this.net.outgoing[number] ?? assert.fail(`no connection ${number}`);
  }

  /** Makes `count` idle connections, the last number used last. */
  idle(count: number): void {
    for (const { on } of Array.from({ length: count }, () => this.acquire())) this.connection(on).sends(DONE);
  }
}

describe('the connections to an upstream', () => {
  test('with a PROXY header tell of the client first, and are never used again', () => {
    const bench = new Bench({ sendProxyProtocol: 'v1' });
    for (const [on, address] of ['192.0.2.7', '192.0.2.8', '192.0.2.7'].entries()) {
      assert.equal(bench.acquire({ peer: { ...PEER, address } }).on, on);
      bench.connection(on).sends(DONE);
      assert.ok(bench.connection(on).destroyed);
      assert.match(bench.net.prefaces[on] ?? '', new RegExp(`^PROXY TCP4 ${address} 192.0.2.1 4711 8080\r\n$`));
      assert.equal(bench.sockets, 0);
    }
  });

  test('are opened where nobody is idle, and used again, the one used last first', () => {
    const bench = new Bench();
    bench.idle(3);
    const order = [bench.acquire(), bench.acquire(), bench.acquire(), bench.acquire()];
    assert.deepEqual(
      order.map(({ on, reused }) => [on, reused]),
      [
        [2, true],
        [1, true],
        [0, true],
        [3, false],
      ],
    );
  });

  test('are new where that is asked for', () => {
    const bench = new Bench();
    bench.idle(1);
    assert.deepEqual([bench.acquire({ newConnection: true }).on, bench.acquire().on], [1, 0]);
  });

  for (const [why, dies] of Object.entries({
    'has ended': (connection: MemoryConnection) => connection.ends(),
    'has broken': (connection: MemoryConnection) => connection.breaks(),
  })) {
    test(`are not acquired once one ${why}, before and after it is closed`, () => {
      const bench = new Bench();
      bench.idle(3);
      bench.net.reportsClosings = false;
      dies(bench.connection(2));
      assert.equal(bench.acquire().on, 1);
      bench.net.reportClosings();
      assert.equal(bench.acquire().on, 0);
      assert.equal(bench.acquire().on, 3);
    });
  }

  test('are not acquired any more, none of them, once one has sent something unsolicited', () => {
    const bench = new Bench();
    bench.idle(3);
    bench.net.reportsClosings = false;
    bench.connection(2).sends('x');
    assert.equal(bench.acquire().on, 3);
  });

  for (const { why, challenge } of [
    { why: 'shared', challenge: '' },
    { why: 'private', challenge: 'WWW-Authenticate: NTLM\r\n' },
  ]) {
    test(`are not acquired any more once one of another worker has sent something unsolicited, though they are ${why}`, () => {
      const bench = new Bench();
      const peer = { ...PEER };
      const { on } = bench.acquire({ peer });
      bench.connection(on).sends(`HTTP/1.1 401 Unauthorized\r\n${challenge}Content-Length: 0\r\n\r\n`);
      const other = new Bench({}, bench.shared, 1);
      other.idle(1);
      other.connection(0).sends('x');
      assert.equal(bench.acquire({ peer }).on, 1);
      assert.ok(bench.connection(0).destroyed);
    });
  }

  test('are not acquired once their idle time is over', () => {
    const bench = new Bench();
    bench.idle(1);
    bench.net.reportsClosings = false;
    bench.net.pass(56_000);
    assert.equal(bench.acquire().on, 1);
  });

  test('are let go after an hour, when their exchange is over', () => {
    const bench = new Bench();
    bench.idle(1);
    for (let minutes = 0; minutes <= 60; minutes++) {
      bench.acquire();
      bench.connection(0).sends(DONE);
      if (minutes < 60) assert.ok(!bench.connection(0).destroyed, `after ${minutes} minutes`);
      bench.net.pass(50_000);
      bench.acquire();
      bench.net.pass(10_000);
      bench.connection(bench.net.outgoing.length - 1).sends(DONE);
    }
    assert.ok(bench.connection(0).destroyed);
    assert.equal(bench.acquire().on, 1);
  });

  test('wait in no greater number than the share of the worker, where they are limited', () => {
    const bench = new Bench({ maxConnections: 5 });
    bench.idle(5);
    assert.equal(bench.net.outgoing.filter(({ destroyed }) => !destroyed).length, Math.ceil(5 / WORKERS));
    assert.equal(bench.sockets, 3);
  });

  test('wait in a bounded number', () => {
    const bench = new Bench();
    bench.idle(600);
    assert.equal(bench.net.outgoing.filter(({ destroyed }) => !destroyed).length, 512);
    assert.equal(bench.sockets, 512);
  });

  test('go where the configuration says', () => {
    const tcp = new Bench({
      host: 'fd00::1',
      port: 81,
      tcpKeepalive: { enabled: false, idleMs: 9, intervalMs: 1, count: 1 },
    });
    tcp.acquire();
    assert.deepEqual(tcp.net.targets, [
      { host: 'fd00::1', alternative: null, port: 81, path: null, keepAlive: { enabled: false, idleMs: 9 }, tls: null },
    ]);
    const unix = new Bench({ host: '', port: 0, path: '/run/app.sock' });
    unix.acquire();
    assert.equal(unix.net.targets[0]?.path, '/run/app.sock');
  });

  test('are given back when the process has no descriptors left, those that nobody uses', () => {
    const bench = new Bench();
    bench.idle(3);
    const busy = bench.acquire();
    const { heard } = bench.acquire({ newConnection: true });
    bench.connection(3).sends(DONE);
    bench.net.event(() => bench.upstream.closeIdle());
    assert.equal(bench.sockets, 1);
    assert.ok(!bench.connection(busy.on).destroyed);
    assert.ok(heard.story.includes('end'));
  });

  test('are all closed with it, and their exchanges hear of it', () => {
    const bench = new Bench();
    bench.idle(2);
    const { heard } = bench.acquire();
    bench.net.event(() => bench.upstream.close());
    assert.deepEqual(heard.story, ['failed upstream_reset']);
    assert.ok(bench.net.outgoing.every(({ destroyed }) => destroyed));
    assert.equal(bench.sockets, 0);
  });
});

describe('the limit of connections', () => {
  test('counts sockets, busy and idle, until they are closed', () => {
    const bench = new Bench();
    bench.idle(2);
    assert.equal(bench.sockets, 2);
    bench.acquire();
    bench.acquire();
    const { heard } = bench.acquire();
    assert.equal(bench.sockets, 3);
    bench.connection(2).breaks();
    assert.ok(heard.failedWith('upstream_reset'));
    assert.equal(bench.sockets, 2);
    bench.connection(0).sends(DONE);
    bench.connection(0).ends();
    assert.equal(bench.sockets, 1);
  });

  test('makes an upstream unusable while all of them are busy', () => {
    const bench = new Bench({ maxConnections: 2 });
    assert.ok(bench.upstream.hasCapacity);
    bench.acquire();
    assert.ok(bench.upstream.hasCapacity);
    bench.acquire();
    assert.ok(!bench.upstream.hasCapacity);
    bench.connection(1).sends(DONE);
    assert.ok(bench.upstream.hasCapacity);
    assert.deepEqual([bench.acquire().on, bench.upstream.hasCapacity, bench.net.outgoing.length], [1, false, 2]);
    bench.connection(0).breaks();
    assert.ok(bench.upstream.hasCapacity);
  });

  test('holds over all workers, whose idle connections are of no use to one another', () => {
    const one = new Bench({ maxConnections: 2 });
    const other = new Bench({ maxConnections: 2 }, one.shared, 1);
    one.idle(1);
    other.acquire();
    assert.equal(one.sockets, 2);
    assert.ok(one.upstream.hasCapacity);
    assert.ok(!other.upstream.hasCapacity);
    one.connection(0).ends();
    assert.ok(other.upstream.hasCapacity);
    other.acquire();
    assert.ok(!one.upstream.hasCapacity, 'what has died is not idle');
  });

  test('is no limit where none is set', () => {
    const bench = new Bench({ maxConnections: null });
    for (let count = 0; count < 1000; count++) bench.acquire();
    assert.ok(bench.upstream.hasCapacity);
    assert.equal(bench.sockets, 1000);
  });
});
