import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSharedMemory, SharedCount } from '../../src/memory/shared-memory.ts';
import { type Waiter, WaitingLine } from '../../src/upstream/waiting-line.ts';
import { MemoryNet } from '../net/memory-connection.ts';

/** From one look to the next. */
const LOOK_MS = 100;

/** A line that nobody ever tells of room. */
class Bench {
  readonly net = new MemoryNet();
  readonly #slot = { memory: createSharedMemory({ backends: [{ upstreams: [] }] }, 2), number: 0 };
  line: WaitingLine = this.another(64);

  /** One more line of the same backend. */
  another(size: number): WaitingLine {
    return new WaitingLine(this.net.io, [], { size, timeoutMs: 60_000 }, this.#slot, 0);
  }

  /** How many wait, as all workers see it. */
  get waiting(): number {
    return SharedCount.backendWaiting(this.#slot, 1).total;
  }

  /** Somebody who waits. Whoever joins makes the first in line look: that is not counted. */
  join(turn: () => boolean = () => false): Waiter & { looks: number; line: WaitingLine } {
    const waiter = {
      looks: 0,
      takeTurn: () => {
        waiter.looks++;
        const served = turn();
        if (served) waiter.line.leave(waiter);
        return served;
      },
      line: this.line,
      moved: (line: WaitingLine) => {
        waiter.line = line;
      },
    };
    this.net.event(() => assert.ok(this.line.join(waiter)));
    waiter.looks = 0;
    return waiter;
  }

  leave(waiter: Waiter): void {
    this.net.event(() => this.line.leave(waiter));
  }
}

describe('who waits in line', () => {
  test('is all that is looked for: an empty line costs nothing', (t) => {
    const bench = new Bench();
    const { mock } = t.mock.method(bench.line, 'wake');
    bench.leave(bench.join());
    const before = mock.callCount();
    bench.net.pass(10 * LOOK_MS);
    assert.equal(mock.callCount(), before);
  });

  test('looks now and then for as long as it waits, though nothing happens', () => {
    const bench = new Bench();
    const waiter = bench.join();
    bench.net.pass(LOOK_MS);
    assert.equal(waiter.looks, 1);
    bench.net.pass(10 * LOOK_MS);
    assert.equal(waiter.looks, 11);
    bench.leave(waiter);
    bench.net.pass(10 * LOOK_MS);
    assert.equal(waiter.looks, 11);
  });

  test('looks for all: those behind the first one look only when it has its turn', () => {
    const bench = new Bench();
    let room = 0;
    const turn = () => room-- > 0;
    const [first, second, third] = [bench.join(turn), bench.join(turn), bench.join(turn)];
    room = 0;
    bench.net.pass(5 * LOOK_MS);
    assert.ok(first.looks >= 5);
    assert.deepEqual([second.looks, third.looks], [0, 0]);
    room = 2;
    bench.net.pass(LOOK_MS);
    assert.deepEqual([second.looks, third.looks], [1, 1]);
    assert.ok(bench.line.occupied);
    room = 1;
    bench.net.pass(LOOK_MS);
    assert.ok(!bench.line.occupied);
  });

  test('does not look more often where others come and go', () => {
    const bench = new Bench();
    const waiter = bench.join();
    for (let passed = 0; passed < 20; passed++) {
      const other = bench.join();
      bench.net.pass(LOOK_MS / 2);
      bench.leave(other);
    }
    // Once for each that came, and then as time passes.
    assert.equal(waiter.looks, 20 + 10);
  });

  test('moves to another line in the order of its coming, and looks there at once', () => {
    const bench = new Bench();
    const order: number[] = [];
    let room = false;
    const turns = [0, 1, 2].map((number) => () => {
      if (room) order.push(number);
      return room;
    });
    for (const turn of turns) bench.join(turn);
    const [old, next] = [bench.line, bench.another(1)];
    room = true;
    bench.net.event(() => old.moveTo(next));
    assert.deepEqual(order, [0, 1, 2]);
    assert.ok(!old.occupied && !next.occupied);
    assert.equal(bench.waiting, 0);
  });

  test('is counted once when it moves, and leaves the line that it is in', () => {
    const bench = new Bench();
    const [old, next] = [bench.line, bench.another(64)];
    const waiters = [bench.join(), bench.join()];
    bench.net.event(() => old.moveTo(next));
    const before = waiters[0]?.looks ?? 0;
    assert.deepEqual([bench.waiting, old.occupied, next.occupied], [2, false, true]);
    assert.ok(waiters.every(({ line }) => line === next));
    bench.net.pass(LOOK_MS);
    assert.equal(waiters[0]?.looks, before + 1);
    for (const waiter of waiters) bench.net.event(() => waiter.line.leave(waiter));
    assert.deepEqual([bench.waiting, next.occupied], [0, false]);
  });

  test('looks again after a look that failed', () => {
    const bench = new Bench();
    let sound = true;
    const waiter = bench.join(() => {
      if (sound) return false;
      sound = true;
      throw new Error('a bug');
    });
    sound = false;
    bench.net.pass(3 * LOOK_MS);
    assert.equal(waiter.looks, 3);
    assert.equal(bench.net.faults.length, 1);
  });
});
