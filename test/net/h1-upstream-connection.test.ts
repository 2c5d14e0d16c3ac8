import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { H1UpstreamConnection } from '../../src/net/h1-upstream-connection.ts';
import type { DownstreamPeer, UpstreamStream } from '../../src/net/streams.ts';
import type { UpstreamLimits } from '../../src/net/upstream-connection.ts';
import { outgoingRequest, requestHead } from '../wire/h1/heads.ts';
import { MemoryConnection, MemoryNet } from './memory-connection.ts';
import { ReplyRecorder, sendRequest } from './reply-recorder.ts';

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

/** One connection to an upstream, and what its pool hears of it. */
class Bench {
  readonly net = new MemoryNet();
  readonly connection = new MemoryConnection(this.net);
  readonly pool: string[] = [];
  releases = 0;
  readonly upstream: H1UpstreamConnection;

  constructor({ open = true, limits = LIMITS }: { readonly open?: boolean; readonly limits?: UpstreamLimits } = {}) {
    this.upstream = new H1UpstreamConnection(this.net.io, {
      limits,
      streamReleased: ({ capacity }) => {
        this.releases++;
        if (capacity > 0) this.pool.push('idle');
      },
      unsolicitedBytes: () => this.pool.push('unsolicited'),
      connectionClosed: () => this.pool.push('closed'),
    });
    this.connection.receiver = this.upstream;
    this.upstream.open(this.connection);
    if (open) this.connection.opens();
  }

  /** Its pool may use it again. */
  get alive(): boolean {
    return this.upstream.capacity > 0;
  }

  /** Acquires it for a request that is complete. */
  request(method = 'GET'): { readonly heard: ReplyRecorder; readonly stream: UpstreamStream } {
    const heard = new ReplyRecorder();
    const stream = this.upstream.acquire(heard, PEER, false);
    this.net.event(() => sendRequest(stream, method));
    return { heard, stream };
  }

  /** Acquires it for an upload that goes on. */
  upload(length: number): { readonly heard: ReplyRecorder; readonly stream: UpstreamStream } {
    const heard = new ReplyRecorder();
    const stream = this.upstream.acquire(heard, PEER, false);
    const head = requestHead(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
    this.net.event(() => stream.sendHead(outgoingRequest(head)));
    return { heard, stream };
  }

  send(stream: UpstreamStream, text: string): void {
    this.net.event(() => stream.sendData(Buffer.from(text, 'latin1'), 0, text.length));
  }
}

const REPLIES = [
  {
    why: 'with a length',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    story: ['head 200', 'data hello', 'end'],
    pool: ['idle'],
  },
  {
    why: 'in chunks, with trailers',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nX: y\r\n\r\n',
    story: ['head 200', 'data hello', 'trailers X,y', 'end'],
    pool: ['idle'],
  },
  { why: 'without a body', text: 'HTTP/1.1 204 No Content\r\n\r\n', story: ['head 204', 'end'], pool: ['idle'] },
  {
    why: 'after interim ones',
    text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    story: ['interim 100', 'interim 103', 'head 200', 'end'],
    pool: ['idle'],
  },
  {
    why: 'that does not let the connection live on',
    text: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx',
    story: ['head 200', 'data x', 'end'],
    pool: ['closed'],
  },
] as const;

describe('a reply', () => {
  for (const { why, text, story, pool } of REPLIES) {
    test(`${why} is heard in its order, in whatever pieces it comes, and the connection is ${pool[0]} after it`, () => {
      for (let size = 1; size <= text.length; size = size < 8 ? size + 1 : size * 2) {
        const bench = new Bench();
        const { heard } = bench.request();
        for (let at = 0; at < text.length; at += size) bench.connection.sends(text.slice(at, at + size));
        assert.deepEqual(heard.story, story, `in pieces of ${size}`);
        assert.deepEqual(bench.pool, pool);
      }
    });
  }

  test('that ends with its connection is complete with FIN, and failed with a reset', () => {
    for (const [ending, last] of [
      ['ends', 'end'],
      ['breaks', 'failed upstream_reset'],
    ] as const) {
      const bench = new Bench();
      const { heard } = bench.request();
      bench.connection.sends('HTTP/1.1 200 OK\r\n\r\nhel');
      bench.connection.sends('lo');
      bench.connection[ending]();
      assert.deepEqual(heard.story, ['head 200', 'data hello', last]);
      assert.deepEqual(bench.pool, ['closed']);
    }
  });

  test('with a length or in chunks is not complete before its last byte, however its connection ends', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n0\r\n',
    ]) {
      for (const ending of ['ends', 'breaks'] as const) {
        const bench = new Bench();
        const { heard } = bench.request();
        bench.connection.sends(text);
        bench.connection[ending]();
        assert.deepEqual(heard.story, ['head 200', 'data hell', 'failed upstream_reset']);
      }
    }
  });

  test('to HEAD ends with its head', () => {
    const bench = new Bench();
    const { heard } = bench.request('HEAD');
    bench.connection.sends('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    assert.deepEqual(heard.story, ['head 200', 'end']);
    assert.deepEqual(bench.pool, ['idle']);
  });

  test('that comes before the request is complete does not let the connection live on', () => {
    const bench = new Bench();
    const { heard } = bench.upload(10);
    bench.connection.sends('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n');
    assert.deepEqual(heard.story, ['head 403', 'end']);
    assert.deepEqual(bench.pool, ['closed']);
  });

  for (const { why, text } of [
    { why: 'switches protocols unasked', text: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n' },
    { why: 'is all interim', text: 'HTTP/1.1 103 X\r\n\r\n'.repeat(33) },
    { why: 'has two framings', text: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n' },
    { why: 'has a malformed chunk', text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx' },
    { why: 'has a head that is too large', text: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(4096)}\r\n\r\n` },
    { why: 'is nonsense', text: 'hello' },
  ]) {
    test(`that ${why} is malformed, and the connection is closed`, () => {
      const bench = new Bench();
      const { heard } = bench.request();
      bench.connection.sends(text);
      assert.ok(heard.failedWith('upstream_malformed'), heard.story.join(', '));
      assert.equal(heard.story.filter((event) => event.startsWith('failed')).length, 1);
      assert.deepEqual(bench.pool, ['closed']);
    });
  }
});

describe('a connection to an upstream', () => {
  test('carries one exchange after the other, each hearing its own reply', () => {
    const bench = new Bench();
    for (const body of ['a', 'b', 'c']) {
      const { heard, stream } = bench.request();
      assert.ok(stream.replyUntouched);
      bench.connection.sends(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${body}`);
      assert.ok(!stream.replyUntouched);
      assert.deepEqual(heard.story, ['head 200', `data ${body}`, 'end']);
    }
    assert.deepEqual(bench.pool, ['idle', 'idle', 'idle']);
    assert.equal(bench.connection.written.split('GET /out?q HTTP/1.1\r\n').length - 1, 3);
  });

  test('tells its upstream which request is the last', () => {
    for (const { isLast, said } of [
      { isLast: false, said: false },
      { isLast: true, said: true },
    ]) {
      const bench = new Bench();
      const stream = bench.upstream.acquire(new ReplyRecorder(), PEER, isLast);
      bench.net.event(() => sendRequest(stream, 'GET'));
      assert.equal(bench.connection.written.includes('Connection: close\r\n'), said);
    }
  });

  test('is closed when more comes than was asked for, and so cannot answer the next request', () => {
    for (const extra of ['x', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']) {
      const bench = new Bench();
      const { heard } = bench.request();
      bench.connection.sends(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na${extra}`);
      assert.deepEqual(heard.story, ['head 200', 'data a', 'end']);
      assert.ok(!bench.alive);
      assert.equal(bench.pool.at(-1), 'closed');
    }
  });

  test('is closed when it sends something while nobody asks', () => {
    const bench = new Bench();
    bench.request();
    bench.connection.sends('HTTP/1.1 204 X\r\n\r\n');
    bench.connection.sends('H');
    assert.deepEqual(bench.pool, ['idle', 'unsolicited', 'closed']);
  });

  for (const { why, happens, pool = ['idle', 'unsolicited', 'closed'] } of [
    { why: 'says something', happens: ({ connection }: Bench) => connection.sends('HTTP/1.1 204 X\r\n\r\n') },
    { why: 'says half of something', happens: ({ connection }: Bench) => connection.sends('HTTP/1.1') },
    { why: 'ends', happens: ({ connection }: Bench) => connection.ends(), pool: ['idle', 'closed'] },
  ]) {
    test(`that ${why} before the request is written answers nothing, and the request may be sent again`, () => {
      const bench = new Bench();
      bench.request();
      bench.connection.sends('HTTP/1.1 204 X\r\n\r\n');
      const { written } = bench.connection;
      const heard = new ReplyRecorder();
      const stream = bench.upstream.acquire(heard, PEER, false);
      sendRequest(stream, 'POST');
      let unsent = false;
      heard.meanwhile = () => {
        unsent = stream.unsent && stream.replyUntouched && bench.connection.written === written;
      };
      happens(bench);
      assert.deepEqual(heard.story, ['failed upstream_reset']);
      assert.ok(unsent, 'it is known that nothing was sent');
      assert.deepEqual(bench.pool, pool);
    });
  }

  test('has sent something once a part of the request is written', () => {
    const bench = new Bench();
    const { heard, stream } = bench.upload(4);
    assert.ok(!stream.unsent);
    // Waits to be written, and what comes now answers the head.
    stream.sendData(Buffer.from('body'), 0, 4);
    bench.connection.sends('HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n');
    assert.deepEqual(heard.story, ['head 413', 'end']);
  });

  test('is dead from the moment that it ends, and closes', () => {
    const bench = new Bench();
    bench.request();
    bench.connection.sends('HTTP/1.1 204 X\r\n\r\n');
    assert.ok(bench.alive);
    bench.net.reportsClosings = false;
    bench.connection.ends();
    assert.ok(!bench.alive);
    assert.deepEqual(bench.pool, ['idle']);
    bench.net.reportClosings();
    assert.deepEqual(bench.pool, ['idle', 'closed']);
  });

  test('that is cancelled says nothing more', () => {
    const bench = new Bench();
    const { heard, stream } = bench.request();
    bench.connection.sends('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe');
    bench.net.event(() => stream.cancel());
    assert.deepEqual(heard.story, ['head 200', 'data he']);
    assert.deepEqual(bench.pool, ['closed']);
  });

  test('is acquired while it still connects: what is sent waits, and its reply is the first', () => {
    const bench = new Bench({ open: false });
    const { heard, stream } = bench.request();
    assert.ok(!stream.reused);
    bench.connection.opens();
    bench.connection.sends('HTTP/1.1 204 X\r\n\r\n');
    assert.deepEqual(heard.story, ['head 204', 'end']);
  });

  for (const { why, happens, code } of [
    { why: 'is refused', happens: (bench: Bench) => bench.connection.breaks(), code: 'upstream_connect_failed' },
    {
      why: 'is ended before it is open, in its handshake',
      happens: (bench: Bench) => bench.connection.ends(),
      code: 'upstream_connect_failed',
    },
    {
      why: 'does not come about in time',
      happens: (bench: Bench) => bench.net.pass(5200),
      code: 'upstream_connect_timeout',
    },
  ] as const) {
    test(`that ${why} fails its exchange, once`, () => {
      const bench = new Bench({ open: false });
      const { heard } = bench.request();
      happens(bench);
      assert.deepEqual(heard.story, [`failed ${code}`]);
      assert.deepEqual(bench.pool, ['closed']);
    });
  }
});

/** Only the read timeout is short. */
const PATIENT = { ...LIMITS, connectTimeoutMs: 600_000, readTimeoutMs: 3000, writeTimeoutMs: 600_000 };

/** Each of them has to be so before the upstream owes something. */
const LATER = {
  opens: { means: 'connected', happens: ({ connection }: Bench) => connection.opens() },
  ends: {
    means: 'the request complete',
    happens: ({ net }: Bench, stream: UpstreamStream) => net.event(() => stream.sendEnd()),
  },
  takes: { means: 'it is written', happens: ({ connection }: Bench) => connection.takesAll() },
  resumes: {
    means: 'we read',
    happens: ({ net }: Bench, stream: UpstreamStream) => net.event(() => stream.resumeResponse()),
  },
};

function permutations<T>(values: readonly T[]): readonly (readonly T[])[] {
  if (values.length === 0) return [[]];
  return values.flatMap((first) =>
    permutations(values.filter((value) => value !== first)).map((rest) => [first, ...rest]),
  );
}

describe('an upstream’s silence', () => {
  test('counts from the end of the request, and from every byte of the reply', () => {
    const bench = new Bench();
    const { heard, stream } = bench.upload(4);
    bench.net.pass(60_000);
    bench.send(stream, 'body');
    bench.net.pass(60_000);
    assert.deepEqual(heard.story, []);
    bench.net.event(() => stream.sendEnd());
    bench.net.pass(29_000);
    bench.connection.sends('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    bench.net.pass(29_000);
    bench.connection.sends('x');
    bench.net.pass(29_000);
    assert.deepEqual(heard.story, ['head 200', 'data x']);
    bench.net.pass(1200);
    assert.deepEqual(heard.story, ['head 200', 'data x', 'failed upstream_timeout']);
    assert.deepEqual(bench.pool, ['closed']);
  });

  test('does not count while the request is under way, on a used connection either', () => {
    const bench = new Bench();
    bench.request();
    bench.connection.sends('HTTP/1.1 204 X\r\n\r\n');
    bench.net.pass(10_000);
    const { heard } = bench.upload(9);
    bench.net.pass(100_000);
    assert.deepEqual(heard.story, []);
  });

  test('does not count while it is held back', () => {
    const bench = new Bench();
    const { heard, stream } = bench.request();
    bench.connection.sends('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    stream.pauseResponse();
    stream.pauseResponse();
    assert.ok(bench.connection.paused);
    bench.net.pass(100_000);
    stream.resumeResponse();
    assert.ok(!bench.connection.paused);
    bench.net.pass(29_000);
    assert.deepEqual(heard.story, ['head 200']);
    bench.net.pass(1200);
    assert.ok(heard.failedWith('upstream_timeout'));
  });

  for (const order of permutations(Object.keys(LATER) as (keyof typeof LATER)[])) {
    test(`counts from the last of these on: ${order.map((change) => LATER[change].means).join(', ')}`, () => {
      const bench = new Bench({ open: false, limits: PATIENT });
      bench.connection.peerTakes = false;
      const { heard, stream } = bench.upload(4);
      bench.net.event(() => stream.pauseResponse());
      bench.send(stream, 'body');
      for (const change of order) {
        bench.net.pass(20_000);
        assert.deepEqual(heard.story, [], `before ${change}`);
        LATER[change].happens(bench, stream);
      }
      bench.net.pass(2800);
      assert.deepEqual(heard.story, []);
      bench.net.pass(400);
      assert.deepEqual(heard.story, ['failed upstream_timeout']);
    });
  }

  test('does not count while the client still sends, although it has read all that came so far', () => {
    const bench = new Bench();
    const { heard, stream } = bench.upload(8);
    bench.send(stream, 'body');
    bench.connection.sends('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nearly');
    bench.net.event(() => stream.pauseResponse());
    bench.net.event(() => stream.resumeResponse());
    bench.net.pass(100_000);
    assert.deepEqual(heard.story, ['head 200', 'data early']);
    bench.send(stream, 'more');
    bench.net.event(() => stream.sendEnd());
    bench.net.pass(29_000);
    bench.connection.sends('late');
    assert.deepEqual(heard.story, ['head 200', 'data earlylate', 'end']);
  });

  test('does not count while it takes the rest of a request that is complete', () => {
    const bench = new Bench({ limits: PATIENT });
    const { heard, stream } = bench.upload(49_000);
    bench.connection.peerTakes = false;
    bench.send(stream, 'x'.repeat(49_000));
    bench.net.event(() => stream.sendEnd());
    bench.net.pass(20_000);
    assert.deepEqual(heard.story, []);
    bench.connection.takesAll();
    bench.net.pass(2800);
    bench.connection.sends('HTTP/1.1 204 X\r\n\r\n');
    assert.deepEqual(heard.story, ['head 204', 'end']);
    assert.deepEqual(bench.pool, ['idle']);
  });

  test('counts after it has closed its side to our request, whatever of that is unwritten', () => {
    const bench = new Bench({ limits: PATIENT });
    const { heard } = bench.upload(4);
    bench.connection.peerTakes = false;
    bench.net.event(() => bench.upstream.writingFailed());
    bench.net.pass(2800);
    assert.deepEqual(heard.story, []);
    bench.net.pass(400);
    assert.deepEqual(heard.story, ['failed upstream_timeout']);
  });

  test('between exchanges closes the connection after its idle time', () => {
    const bench = new Bench();
    for (let turn = 0; turn < 3; turn++) {
      bench.request();
      bench.connection.sends('HTTP/1.1 204 X\r\n\r\n');
      bench.net.pass(54_000);
      assert.ok(bench.alive);
    }
    bench.net.pass(1200);
    assert.deepEqual(bench.pool, ['idle', 'idle', 'idle', 'closed']);
  });
});

describe('an upstream that takes nothing', () => {
  test('is given the connect timeout while it connects, and the write timeout from then on', () => {
    const limits = { ...LIMITS, connectTimeoutMs: 50_000 };
    for (const opens of [false, true]) {
      const bench = new Bench({ open: false, limits });
      bench.connection.peerTakes = false;
      const { heard } = bench.upload(1);
      bench.net.pass(limits.connectTimeoutMs - 1000);
      assert.deepEqual(heard.story, []);
      if (opens) bench.connection.opens();
      bench.net.pass(opens ? limits.writeTimeoutMs - 1000 : 1200);
      assert.deepEqual(heard.story, opens ? [] : ['failed upstream_connect_timeout']);
      bench.net.pass(1200);
      if (opens) assert.deepEqual(heard.story, ['failed upstream_write_timeout']);
    }
  });

  test('and answers all the same is not asked again on this connection', () => {
    const bench = new Bench();
    const { heard, stream } = bench.upload(9000);
    bench.connection.peerTakes = false;
    bench.send(stream, 'x'.repeat(9000));
    bench.net.event(() => stream.sendEnd());
    bench.connection.sends('HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n');
    assert.deepEqual(heard.story, ['head 413', 'end']);
    assert.deepEqual(bench.pool, ['closed']);
  });

  test('holds the request back, and asks for more when it has taken all', () => {
    const bench = new Bench();
    const { heard, stream } = bench.upload(200_000);
    bench.connection.peerTakes = false;
    const piece = Buffer.alloc(70_000, 'x');
    assert.equal(stream.sendData(piece, 0, 1000), true);
    assert.equal(stream.sendData(piece, 0, piece.length), false);
    bench.net.event(() => {});
    assert.deepEqual(heard.story, []);
    bench.connection.takesAll();
    assert.deepEqual(heard.story, ['writable']);
  });

  test('fails the exchange after the write timeout', () => {
    const bench = new Bench();
    const { heard, stream } = bench.upload(200_000);
    bench.connection.peerTakes = false;
    bench.send(stream, 'x'.repeat(70_000));
    bench.net.pass(19_000);
    assert.deepEqual(heard.story, []);
    bench.net.pass(1500);
    assert.deepEqual(heard.story, ['failed upstream_write_timeout']);
    assert.deepEqual(bench.pool, ['closed']);
  });
});

test('a connection that is cancelled from within its reply says nothing more and does not go back to the pool', () => {
  const bench = new Bench();
  const { heard, stream } = bench.request();
  heard.responseData = () => stream.cancel();
  bench.connection.sends('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n');
  assert.deepEqual(heard.story, ['head 200']);
  assert.ok(!bench.pool.includes('idle'));
});

describe('a broken invariant on a connection to an upstream', () => {
  test('a second stream while one is under way ends the connection, and the first one fails', () => {
    const bench = new Bench();
    const { heard } = bench.request();
    assert.throws(
      () => bench.upstream.acquire(new ReplyRecorder(), PEER, false),
      /cannot carry it: CLOSED, with 1 streams/,
    );
    bench.net.reportClosings();
    assert.deepEqual(heard.story, ['failed upstream_reset']);
    assert.equal(bench.pool.at(-1), 'closed');
  });

  test('nothing is sent on a stream that is over: it would be the beginning of the next request', () => {
    const bench = new Bench();
    const { stream } = bench.request();
    bench.connection.sends('HTTP/1.1 204 X\r\n\r\n');
    const { written } = bench.connection;
    assert.throws(() => stream.sendData(Buffer.from('body'), 0, 4), /stream that is over/);
    assert.throws(() => stream.sendEnd(), /stream that is over/);
    bench.net.event(() => stream.cancel());
    assert.ok(bench.alive, 'and to cancel it does not close the connection of the next one');
    assert.equal(bench.connection.written, written);
  });

  test('a stream is released once, whatever ends it and then its connection', () => {
    for (const ends of [
      (bench: Bench) => bench.connection.sends('HTTP/1.1 204 X\r\nConnection: close\r\n\r\n'),
      () => {},
      (bench: Bench) => bench.connection.sends('nonsense'),
      (bench: Bench) => bench.connection.ends(),
      (bench: Bench) => bench.connection.breaks(),
      (bench: Bench) => bench.net.pass(31_000),
      (bench: Bench) => bench.net.event(() => bench.upstream.close()),
    ]) {
      const bench = new Bench();
      const { stream } = bench.request();
      ends(bench);
      bench.net.event(() => stream.cancel());
      assert.deepEqual([bench.releases, bench.upstream.streams, bench.pool], [1, 0, ['closed']]);
      assert.deepEqual(bench.net.faults, []);
    }
  });
});
