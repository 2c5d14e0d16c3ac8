import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSharedMemory, SharedCount } from '../../src/memory/shared-memory.ts';
import { type PendingRequest, RequestQueue } from '../../src/upstream/request-queue.ts';
import { MemoryNet } from '../net/memory-connection.ts';

/** From one look to the next. */
const POLL_MS = 100;

/** A queue that no connection limiter ever wakes. */
class Bench {
  readonly net = new MemoryNet();
  readonly #slot = { memory: createSharedMemory({ backends: [{ upstreams: [] }] }, 2), number: 0 };
  queue: RequestQueue = this.another(64);

  /** One more queue of the same backend. */
  another(size: number): RequestQueue {
    return new RequestQueue(this.net.io, [], { size, timeoutMs: 60_000 }, this.#slot, 0);
  }

  /** How many wait, as all workers see it. */
  get waiting(): number {
    return SharedCount.backendWaiting(this.#slot, 1).total;
  }

  /** A pending request. One that joins makes the first of the queue look: that is not counted. */
  join(turn: () => boolean = () => false): PendingRequest & { looks: number; queue: RequestQueue } {
    const request = {
      looks: 0,
      tryDispatch: () => {
        request.looks++;
        const served = turn();
        if (served) request.queue.leave(request);
        return served;
      },
      queue: this.queue,
      moved: (queue: RequestQueue) => {
        request.queue = queue;
      },
    };
    this.net.event(() => assert.ok(this.queue.join(request)));
    request.looks = 0;
    return request;
  }

  leave(request: PendingRequest): void {
    this.net.event(() => this.queue.leave(request));
  }
}

describe('a pending request', () => {
  test('is all that is polled for: an empty queue costs nothing', (t) => {
    const bench = new Bench();
    const { mock } = t.mock.method(bench.queue, 'wake');
    bench.leave(bench.join());
    const before = mock.callCount();
    bench.net.pass(10 * POLL_MS);
    assert.equal(mock.callCount(), before);
  });

  test('looks now and then for as long as it waits, though nothing happens', () => {
    const bench = new Bench();
    const request = bench.join();
    bench.net.pass(POLL_MS);
    assert.equal(request.looks, 1);
    bench.net.pass(10 * POLL_MS);
    assert.equal(request.looks, 11);
    bench.leave(request);
    bench.net.pass(10 * POLL_MS);
    assert.equal(request.looks, 11);
  });

  test('looks for all: those behind the first one look only when that has been sent', () => {
    const bench = new Bench();
    let room = 0;
    const turn = () => room-- > 0;
    const [first, second, third] = [bench.join(turn), bench.join(turn), bench.join(turn)];
    room = 0;
    bench.net.pass(5 * POLL_MS);
    assert.ok(first.looks >= 5);
    assert.deepEqual([second.looks, third.looks], [0, 0]);
    room = 2;
    bench.net.pass(POLL_MS);
    assert.deepEqual([second.looks, third.looks], [1, 1]);
    assert.ok(bench.queue.hasPending);
    room = 1;
    bench.net.pass(POLL_MS);
    assert.ok(!bench.queue.hasPending);
  });

  test('does not look more often where others come and go', () => {
    const bench = new Bench();
    const request = bench.join();
    for (let passed = 0; passed < 20; passed++) {
      const other = bench.join();
      bench.net.pass(POLL_MS / 2);
      bench.leave(other);
    }
    // Once for each that came, and then as time passes.
    assert.equal(request.looks, 20 + 10);
  });

  test('moves to another queue in the order in which it joined, and looks there at once', () => {
    const bench = new Bench();
    const order: number[] = [];
    let room = false;
    const turns = [0, 1, 2].map((number) => () => {
      if (room) order.push(number);
      return room;
    });
    for (const turn of turns) bench.join(turn);
    const [old, next] = [bench.queue, bench.another(1)];
    room = true;
    bench.net.event(() => old.moveTo(next));
    assert.deepEqual(order, [0, 1, 2]);
    assert.ok(!old.hasPending && !next.hasPending);
    assert.equal(bench.waiting, 0);
  });

  test('is counted once when it moves, and leaves the queue that it is in', () => {
    const bench = new Bench();
    const [old, next] = [bench.queue, bench.another(64)];
    const requests = [bench.join(), bench.join()];
    bench.net.event(() => old.moveTo(next));
    const before = requests[0]?.looks ?? 0;
    assert.deepEqual([bench.waiting, old.hasPending, next.hasPending], [2, false, true]);
    assert.ok(requests.every(({ queue }) => queue === next));
    bench.net.pass(POLL_MS);
    assert.equal(requests[0]?.looks, before + 1);
    for (const request of requests) bench.net.event(() => request.queue.leave(request));
    assert.deepEqual([bench.waiting, next.hasPending], [0, false]);
  });

  test('looks again after a look that failed', () => {
    const bench = new Bench();
    let sound = true;
    const request = bench.join(() => {
      if (sound) return false;
      sound = true;
      throw new Error('a bug');
    });
    sound = false;
    bench.net.pass(3 * POLL_MS);
    assert.equal(request.looks, 3);
    assert.equal(bench.net.faults.length, 1);
  });
});
