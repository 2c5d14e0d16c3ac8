import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { PhotonError } from '../../src/base/errors.ts';
import type { Fields } from '../../src/http/fields.ts';
import { FRAMING } from '../../src/http/framing.ts';
import { RequestHead } from '../../src/http/request-head.ts';
import { H1Downstream } from '../../src/net/h1-downstream.ts';
import type { DownstreamStream, RequestListener } from '../../src/net/streams.ts';
import { fieldListOf } from '../support/field-list.ts';
import { fieldLines } from '../wire/h1/decode.ts';
import { MemoryConnection, MemoryNet } from './memory-connection.ts';

const LIMITS = {
  maxHeadBytes: 4096,
  maxTargetBytes: 1024,
  connectionTimeoutMs: 30_000,
  keepaliveTimeoutMs: 75_000,
  bodyTimeoutMs: 20_000,
  sendTimeoutMs: 15_000,
};

/** Hears a request and writes it down; answers it when `answers` says so. */
class RequestRecorder implements RequestListener {
  readonly request: RequestHead = new RequestHead(20);
  readonly story: string[] = [];
  readonly #bench: Bench;
  downstream: DownstreamStream | null = null;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  requestBegun(downstream: DownstreamStream): void {
    this.downstream = downstream;
    this.#bench.requests.push(this);
    this.story.push(`${this.request.method} ${this.request.target}`);
    if (this.#bench.answers === 'at the head' || downstream.requestComplete) this.#mayAnswer();
  }

  requestRefused(downstream: DownstreamStream, error: PhotonError): void {
    this.downstream = downstream;
    this.#bench.requests.push(this);
    this.story.push(`refused ${error.code}`);
    this.answer(error.status, true);
  }

  requestData(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end);
    const last = this.story.at(-1);
    if (last?.startsWith('data ') === true) this.story[this.story.length - 1] = last + text;
    else this.story.push(`data ${text}`);
  }

  requestTrailers(trailers: Fields): void {
    this.story.push(`trailers ${fieldLines(trailers).join(' ')}`);
  }

  requestEnded(): void {
    this.story.push('end');
    this.#mayAnswer();
  }

  clientHalfClosed(): void {}

  requestFailed(error: PhotonError): void {
    this.story.push(`failed ${error.code}`);
    this.downstream?.abort();
  }

  responseWritable(): void {
    this.story.push('writable');
  }

  #mayAnswer(): void {
    if (this.#bench.answers !== 'later') this.answer(200);
  }

  /** Sends a reply that tells which request it is for. */
  answer(status: number, close = false): void {
    const body = `${status} for ${this.request.target};`;
    const additions = fieldListOf();
    const { length: contentLength } = body;
    this.downstream?.sendHead(
      { status, source: null, drops: null, additions, framing: FRAMING.LENGTH, contentLength },
      close,
    );
    this.downstream?.sendText(body);
    this.downstream?.sendEnd();
  }
}

/** A client's connection whose requests are recorded. */
class Bench {
  readonly net = new MemoryNet();
  readonly connection = new MemoryConnection(this.net);
  readonly requests: RequestRecorder[] = [];
  answers: 'at once' | 'at the head' | 'later' = 'at once';
  closings = 0;
  draining = false;
  readonly downstream: H1Downstream;

  constructor() {
    const bench = this;
    this.downstream = new H1Downstream(this.net.io, {
      limits: LIMITS,
      get draining() {
        return bench.draining;
      },
      takeListener: () => new RequestRecorder(this),
      returnListener: () => {},
      connectionClosed: () => this.closings++,
    });
    this.connection.receiver = this.downstream;
    this.downstream.open(this.connection);
  }

  get stories(): readonly (readonly string[])[] {
    return this.requests.map(({ story }) => story);
  }

  /** The bodies of the replies so far. */
  get replies(): readonly string[] {
    return this.connection.written.match(/\d{3} for [^;]*;/g) ?? [];
  }
}

interface SentRequest {
  readonly text: string;
  readonly story: readonly string[];
}

const content = fc.string({
  unit: fc.constantFrom('a', '\r\n', '0\r\n\r\n', '\xff', 'GET / HTTP/1.1\r\n'),
  maxLength: 8,
});

const sentRequest: fc.Arbitrary<SentRequest> = fc
  .tuple(
    fc.constantFrom('none', 'length', 'chunked'),
    fc.array(content, { maxLength: 3 }),
    fc.boolean(),
    fc.nat({ max: 99 }),
  )
  .map(([framing, parts, trailer, number]) => {
    const head = `POST /${number} HTTP/1.1\r\nHost: a\r\n`;
    const body = parts.join('');
    const data = body === '' ? [] : [`data ${body}`];
    if (framing === 'none') return { text: `${head}\r\n`, story: [`POST /${number}`] };
    if (framing === 'length') {
      const end = body === '' ? [] : ['end'];
      return {
        text: `${head}Content-Length: ${body.length}\r\n\r\n${body}`,
        story: [`POST /${number}`, ...data, ...end],
      };
    }
    const chunks = parts.filter((part) => part !== '').map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
    const trailers = trailer ? 'X: y\r\n' : '';
    return {
      text: `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n${trailers}\r\n`,
      story: [`POST /${number}`, ...data, ...(trailer ? ['trailers X,y'] : []), 'end'],
    };
  });

describe('the requests of a client', () => {
  for (const answers of ['at once', 'at the head', 'later'] as const) {
    test(`are the same in whatever pieces they come, and are answered in their order: answered ${answers}`, () => {
      const pieceSizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });
      fc.assert(
        fc.property(fc.array(sentRequest, { minLength: 1, maxLength: 5 }), pieceSizes, (sent, sizes) => {
          const bench = new Bench();
          bench.answers = answers;
          const text = sent.map((each) => each.text).join('');
          for (let at = 0, turn = 0; at < text.length; turn++) {
            const size = sizes[turn % sizes.length] as number;
            bench.connection.sends(text.slice(at, at + size));
            at += size;
          }
          if (answers === 'later') {
            for (let turn = 0; turn < sent.length; turn++) {
              assert.equal(bench.requests.length, turn + 1, 'one request at a time');
              assert.equal(bench.replies.length, turn);
              bench.net.event(() => bench.requests[turn]?.answer(200));
            }
          }
          assert.deepEqual(bench.net.faults, []);
          if (answers === 'at the head') {
            // What is answered before its body has come may be the last on its connection.
            const heard = bench.stories.map(([first]) => first);
            assert.deepEqual(
              heard,
              sent.slice(0, heard.length).map(({ story }) => story[0]),
            );
            return;
          }
          assert.deepEqual(
            bench.stories,
            sent.map(({ story }) => story),
          );
          assert.deepEqual(
            bench.replies,
            sent.map(({ story }) => `200 for ${story[0]?.split(' ')[1]};`),
          );
          assert.ok(bench.downstream.idle);
        }),
        { numRuns: 300 },
      );
    });
  }

  test('that are refused are told so, and nothing behind them is looked at', () => {
    const bench = new Bench();
    bench.connection.sends(
      'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    assert.deepEqual(bench.stories, [['GET /1'], ['refused bad_host']]);
    assert.match(bench.connection.written, /400 for \/2;$/);
    assert.ok(bench.connection.writingEnded);
    bench.connection.sends('GET /4 HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(bench.requests.length, 2);
  });

  test('whose body the client’s end cut off before their turn fail in their turn', () => {
    const bench = new Bench();
    bench.answers = 'later';
    const upload = 'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\npart';
    bench.connection.sends(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${upload}`);
    bench.connection.ends();
    bench.net.event(() => bench.requests[0]?.answer(200));
    assert.deepEqual(bench.stories, [['GET /1'], ['POST /2', 'data part', 'failed client_closed']]);
    bench.net.pass(2500);
    assert.ok(bench.connection.destroyed);
  });

  test('that come far ahead are bounded: reading stops, and goes on when there is room', () => {
    const bench = new Bench();
    bench.answers = 'later';
    const request = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
    const ahead = request.repeat(Math.ceil(LIMITS.maxHeadBytes / request.length) + 5);
    bench.connection.sends(request);
    bench.connection.sends(ahead);
    assert.ok(bench.connection.paused);
    bench.net.event(() => bench.requests[0]?.answer(200));
    assert.equal(bench.requests.length, 2);
  });
});

describe('a client’s time', () => {
  test('for its first head ends without a word when nothing came, with 408 when something did', () => {
    const silent = new Bench();
    silent.net.pass(LIMITS.connectionTimeoutMs + 200);
    assert.equal(silent.connection.written, '');
    assert.ok(silent.connection.writingEnded || silent.connection.destroyed);
    const begun = new Bench();
    begun.connection.sends('GET / HT');
    begun.net.pass(LIMITS.connectionTimeoutMs - 1000);
    begun.connection.sends('TP/1.1\r\n');
    begun.net.pass(1200);
    assert.deepEqual(begun.stories, [['refused request_timeout']]);
  });

  test('between requests is the keep-alive time, which begins when a slow reader has all of the reply before', () => {
    const bench = new Bench();
    bench.connection.peerTakes = false;
    bench.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.ok(bench.connection.pendingBytes > 0);
    for (let turn = 0; turn < 10; turn++) {
      // It takes a byte now and then.
      bench.connection.pendingBytes--;
      bench.net.pass(10_000);
    }
    assert.ok(!bench.connection.writingEnded, 'the end of a reply is still on its way');
    bench.connection.takesAll();
    bench.net.pass(LIMITS.keepaliveTimeoutMs - 1000);
    bench.connection.sends('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(bench.requests.length, 2);
    bench.net.pass(LIMITS.keepaliveTimeoutMs + 10_000);
    assert.ok(bench.connection.destroyed);
    assert.equal(bench.closings, 1);
  });

  test('between requests is not made longer by empty lines', () => {
    const bench = new Bench();
    bench.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    for (let sent = 0; sent < 3; sent++) {
      bench.net.pass(LIMITS.keepaliveTimeoutMs / 3 - 100);
      assert.ok(!bench.connection.writingEnded);
      bench.connection.sends('\r\n');
    }
    bench.net.pass(600);
    assert.ok(bench.connection.writingEnded);
  });

  for (const { why, sent, atOnce } of [
    { why: 'nothing has come', sent: '', atOnce: 1000 },
    { why: 'a request has been answered', sent: 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n', atOnce: 50 },
  ]) {
    test(`is short once the gateway drains and ${why}; a head that begins then has all of its time`, () => {
      for (const begins of [false, true]) {
        const bench = new Bench();
        bench.connection.sends(sent);
        bench.draining = true;
        bench.net.event(() => bench.downstream.drain());
        if (begins) bench.connection.sends('GET /2 HT');
        bench.net.pass(atOnce + 250);
        assert.equal(bench.connection.writingEnded, !begins);
        if (!begins) continue;
        bench.net.pass(LIMITS.connectionTimeoutMs - 1000 - atOnce);
        bench.net.event(() => bench.downstream.drain());
        bench.connection.sends('TP/1.1\r\n');
        assert.ok(!bench.connection.writingEnded);
        bench.net.pass(1200);
        assert.deepEqual(bench.stories.at(-1), ['refused request_timeout']);
      }
    });
  }

  test('to take a byte of its reply is the send timeout', () => {
    const bench = new Bench();
    bench.connection.peerTakes = false;
    bench.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    bench.net.pass(LIMITS.sendTimeoutMs - 1000);
    assert.ok(!bench.connection.destroyed);
    bench.net.pass(1200);
    assert.ok(bench.connection.wasReset);
    assert.equal(bench.closings, 1);
  });

  test('to take a byte begins anew with every byte, however much is written meanwhile', () => {
    const bench = new Bench();
    bench.answers = 'at the head';
    bench.connection.peerTakes = false;
    bench.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    for (let turn = 0; turn < 5; turn++) {
      // More comes than it takes.
      bench.connection.pendingBytes -= 10;
      bench.net.event(() => bench.requests[0]?.downstream?.sendText('x'.repeat(100)));
      bench.net.pass(LIMITS.sendTimeoutMs - 1000);
    }
    assert.ok(!bench.connection.destroyed);
    bench.net.pass(2200);
    assert.ok(bench.connection.wasReset);
  });

  test('for its body counts from every byte, and not while it is held back', () => {
    const bench = new Bench();
    bench.connection.sends('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
    bench.net.pass(LIMITS.bodyTimeoutMs - 1000);
    bench.connection.sends('x');
    bench.net.pass(LIMITS.bodyTimeoutMs - 1000);
    bench.requests[0]?.downstream?.pauseRequest();
    assert.ok(bench.connection.paused);
    bench.net.pass(LIMITS.bodyTimeoutMs * 3);
    bench.requests[0]?.downstream?.resumeRequest();
    assert.ok(!bench.connection.paused);
    bench.net.pass(LIMITS.bodyTimeoutMs - 1000);
    assert.deepEqual(bench.stories, [['POST /1', 'data x']]);
    bench.net.pass(1200);
    assert.deepEqual(bench.stories, [['POST /1', 'data x', 'failed request_timeout']]);
  });
});

describe('the end of a connection', () => {
  test('is heard by the exchange under way, once', () => {
    for (const ending of ['breaks', 'ends'] as const) {
      const bench = new Bench();
      bench.connection.sends('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx');
      bench.connection[ending]();
      assert.deepEqual(bench.stories, [['POST /1', 'data x', 'failed client_closed']]);
      bench.net.pass(5000);
      assert.equal(bench.closings, 1);
      assert.equal(bench.requests[0]?.story.length, 3);
    }
  });

  test('comes after the reply for a client that has ended its side', () => {
    const bench = new Bench();
    bench.answers = 'later';
    bench.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    bench.connection.ends();
    bench.net.event(() => bench.requests[0]?.answer(200));
    bench.net.event(() => bench.requests[1]?.answer(200));
    assert.deepEqual(bench.replies, ['200 for /1;', '200 for /2;']);
    bench.net.pass(5000);
    assert.equal(bench.closings, 1);
  });

  test('does not wait for anything where the client has ended its side and has all of its reply', () => {
    const bench = new Bench();
    bench.answers = 'later';
    bench.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    bench.connection.ends();
    bench.net.event(() => bench.requests[0]?.answer(200));
    assert.deepEqual(bench.replies, ['200 for /1;']);
    assert.equal(bench.closings, 1);
  });

  test('comes after the last whole request where the client’s end has cut off the next head', () => {
    const bench = new Bench();
    bench.answers = 'later';
    bench.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT');
    bench.connection.ends();
    bench.net.event(() => bench.requests[0]?.answer(200));
    assert.deepEqual(bench.replies, ['200 for /1;']);
    assert.equal(bench.closings, 1);
    assert.equal(bench.requests.length, 1);
  });

  test('is waited for with reading on, though the client was held back: otherwise we would not hear it', () => {
    const bench = new Bench();
    bench.answers = 'later';
    bench.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    bench.connection.sends('x'.repeat(LIMITS.maxHeadBytes));
    assert.ok(bench.connection.paused);
    bench.net.event(() => bench.requests[0]?.downstream?.abort());
    assert.ok(bench.connection.writingEnded);
    assert.ok(!bench.connection.paused);
    bench.connection.ends();
    assert.equal(bench.closings, 1);
  });

  test('leaves nothing of it but the address that was asked for', () => {
    const bench = new Bench();
    const { peer } = bench.downstream;
    assert.deepEqual([peer.address, peer.port, peer.localPort], ['192.0.2.7', 4711, 8080]);
    bench.connection.breaks();
    assert.deepEqual([peer.address, peer.port, peer.localPort], ['192.0.2.7', 0, 0]);
  });

  for (const { why, said, cut, wasReset } of [
    {
      why: 'is aborted',
      said: 'a part',
      cut: (bench: Bench) => bench.requests[0]?.downstream?.abort(),
      wasReset: true,
    },
    {
      why: 'is not over when it has to close',
      said: 'a part',
      cut: (bench: Bench) => bench.downstream.close(),
      wasReset: true,
    },
    {
      why: 'is unwritten when it has to close',
      said: 'all',
      cut: (bench: Bench) => bench.downstream.close(),
      wasReset: true,
    },
    {
      why: 'is unwritten when the client takes no more',
      said: 'all',
      cut: (bench: Bench) => bench.net.pass(LIMITS.sendTimeoutMs + 1200),
      wasReset: true,
    },
    {
      why: 'is written when it has to close',
      said: 'all of it, taken',
      cut: (bench: Bench) => bench.downstream.close(),
      wasReset: false,
    },
  ]) {
    test(`is a reset only where a reply without a length is cut: it ${why}`, () => {
      const bench = new Bench();
      bench.answers = 'later';
      bench.connection.peerTakes = said === 'all of it, taken';
      bench.connection.sends('GET /1 HTTP/1.0\r\n\r\n');
      const { downstream } = bench.requests[0] as RequestRecorder;
      bench.net.event(() => {
        downstream?.sendHead(
          {
            status: 200,
            source: null,
            drops: null,
            additions: fieldListOf(),
            framing: FRAMING.CHUNKED,
            contentLength: -1,
          },
          false,
        );
        downstream?.sendData(Buffer.from('part'), 0, 4);
        if (said !== 'a part') downstream?.sendEnd();
      });
      assert.match(bench.connection.written, /\r\nConnection: close\r\n\r\npart$/);
      assert.equal(bench.connection.writingEnded, said !== 'a part');
      bench.net.event(() => cut(bench));
      assert.ok(bench.connection.destroyed);
      assert.equal(bench.connection.wasReset, wasReset);
    });
  }

  test('comes with a drain for those who wait, and after the reply for others', () => {
    const idle = new Bench();
    idle.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    idle.draining = true;
    idle.net.event(() => idle.downstream.drain());
    assert.ok(!idle.connection.writingEnded);
    idle.net.pass(200);
    assert.ok(idle.connection.writingEnded);
    const busy = new Bench();
    busy.answers = 'later';
    busy.connection.sends('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    busy.draining = true;
    busy.net.event(() => busy.downstream.drain());
    assert.ok(!busy.connection.writingEnded);
    busy.net.event(() => busy.requests[0]?.answer(200));
    assert.match(busy.connection.written, /\r\nConnection: close\r\n/);
    assert.ok(busy.connection.writingEnded);
  });
});

test('a client held back by the last piece of its body is listened to again when the upstream takes more', () => {
  const bench = new Bench();
  bench.answers = 'later';
  bench.connection.sends('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  bench.requests[0]?.downstream?.pauseRequest();
  assert.ok(bench.connection.paused);
  // What was read before the pause still comes through, and completes the body.
  bench.downstream.received(Buffer.from('world'), 0, 5);
  bench.requests[0]?.downstream?.resumeRequest();
  assert.ok(!bench.connection.paused);
});
