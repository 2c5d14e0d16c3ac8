import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT_TIMEOUT, type ClientTimeout, clientTimeoutMs } from '../../src/net/client-timeouts.ts';
import { CurrentTimeout } from '../../src/net/current-timeout.ts';
import { MemoryNet } from './memory-connection.ts';

const TIMEOUTS = { connectionTimeoutMs: 30_000, keepaliveTimeoutMs: 75_000, bodyTimeoutMs: 20_000 };
/** A timer runs out this much late at most. */
const LATE_MS = 200;

/** A connection to a client of which the test says what is due. */
class Bench {
  readonly net = new MemoryNet();
  readonly timedOut: ClientTimeout[] = [];
  due: ClientTimeout = CLIENT_TIMEOUT.NONE;
  failures = 0;
  readonly timeout: CurrentTimeout<ClientTimeout> = new CurrentTimeout(
    this.net.io,
    {
      dueTimeout: () => this.due,
      timeoutMs: (kind) => clientTimeoutMs(kind, TIMEOUTS),
      timedOut: (kind) => this.timedOut.push(kind),
      timerFailed: () => this.failures++,
    },
    CLIENT_TIMEOUT,
  );

  becomesDue(kind: ClientTimeout): void {
    this.due = kind;
    this.timeout.watch();
  }
}

describe('the timeout of a connection', () => {
  for (const { kind, timeMs } of [
    { kind: 'HEAD', timeMs: 30_000 },
    { kind: 'BODY', timeMs: 20_000 },
    { kind: 'IDLE', timeMs: 75_000 },
    { kind: 'DRAIN_FIRST', timeMs: 1000 },
    { kind: 'DRAIN_NEXT', timeMs: 50 },
    { kind: 'LINGER', timeMs: 2000 },
  ] as const) {
    test(`${kind} counts ${timeMs} ms from the moment in which it is due, and runs out once`, () => {
      const bench = new Bench();
      bench.becomesDue(CLIENT_TIMEOUT[kind]);
      bench.net.pass(timeMs - 25);
      assert.deepEqual(bench.timedOut, []);
      bench.timeout.watch();
      bench.net.pass(25 + LATE_MS);
      assert.deepEqual(bench.timedOut, [CLIENT_TIMEOUT[kind]], 'to watch it does not make it longer');
      bench.net.pass(3 * timeMs);
      assert.equal(bench.timedOut.length, 1);
    });
  }

  test('begins again when the peer shows that it is there', () => {
    const bench = new Bench();
    bench.becomesDue(CLIENT_TIMEOUT.BODY);
    bench.net.pass(19_000);
    bench.timeout.restart();
    bench.net.pass(19_000);
    assert.deepEqual(bench.timedOut, []);
    bench.net.pass(1000 + LATE_MS);
    assert.deepEqual(bench.timedOut, [CLIENT_TIMEOUT.BODY]);
  });

  test('has its whole time after another one', () => {
    const bench = new Bench();
    bench.becomesDue(CLIENT_TIMEOUT.DRAIN_FIRST);
    bench.net.pass(900);
    bench.becomesDue(CLIENT_TIMEOUT.HEAD);
    bench.net.pass(29_900);
    assert.deepEqual(bench.timedOut, []);
    bench.net.pass(100 + LATE_MS);
    assert.deepEqual(bench.timedOut, [CLIENT_TIMEOUT.HEAD]);
  });

  test('does not count while none is due, nor after the connection is gone', () => {
    const bench = new Bench();
    bench.becomesDue(CLIENT_TIMEOUT.BODY);
    bench.due = CLIENT_TIMEOUT.NONE;
    bench.timeout.restart();
    bench.net.pass(100_000);
    bench.becomesDue(CLIENT_TIMEOUT.BODY);
    bench.timeout.close();
    bench.net.pass(100_000);
    assert.deepEqual([bench.timedOut, bench.failures, bench.net.faults], [[], 0, []]);
  });

  test('that runs out although another one is due is a fault, which ends the connection', () => {
    const bench = new Bench();
    bench.becomesDue(CLIENT_TIMEOUT.BODY);
    bench.due = CLIENT_TIMEOUT.NONE;
    bench.net.pass(TIMEOUTS.bodyTimeoutMs + LATE_MS);
    assert.deepEqual([bench.timedOut, bench.failures], [[], 1]);
    assert.match(String(bench.net.faults), /timeout BODY ran out although NONE was due/);
  });
});
