import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { PasswordQueue } from '../../src/control/password-queue.ts';

/** Of "Hello world!": half a second of JavaScript. */
const SLOW = '$2b$13$52sWjs3//eVfy3pigNTRIuFCcM0Nrc3OtEIO.YHKP9N.W4.dnAShy';
/** Of the same, at once. */
const QUICK = '{SHA256}wFNeS+K3n/2TKRMFQ2v4iTFOSj+uwF7P/Lt98xrZ5Ro=';
/** So much of a hash shows that it is under way: more than it takes to get to it. */
const UNDER_WAY_MICROS = 50_000;

const question = (digest: string, hash: string, password: string) => ({ digest, hash, password });

/** A password queue with a thread of its own, as the control thread has it. */
class Bench extends EventEmitter<{ told: []; died: [] }> {
  /** Row, question and verdict of each answer. */
  readonly told: string[] = [];
  readonly queue: PasswordQueue;
  /** The thread that was started last. */
  thread: Worker | null = null;

  constructor(t: TestContext) {
    super();
    const noteThread = (thread: Worker) => {
      this.thread = thread;
    };
    const log = {
      info() {},
      warn() {},
      fatal() {},
      error: (event: string) => event.endsWith('died') && this.emit('died'),
    };
    // Neither the thread nor its replacement keeps the process.
    const alive = setInterval(() => {}, 1000);
    process.on('worker', noteThread);
    t.after(() => {
      process.off('worker', noteThread);
      clearInterval(alive);
      this.queue.close();
    });
    this.queue = new PasswordQueue(log as never, (row, { digest, verdict }) => {
      this.told.push(`${row} ${digest} ${verdict}`);
      this.emit('told');
    });
    this.queue.use(true);
  }

  async answers(count: number): Promise<readonly string[]> {
    while (this.told.length < count) await once(this, 'told');
    return this.told;
  }

  /** Resolves when the thread has worked on a hash for a while. */
  async hashing(): Promise<Worker> {
    const thread = this.thread ?? assert.fail('there is no thread');
    const { user: before } = await thread.cpuUsage();
    for (let now = before; now < before + UNDER_WAY_MICROS; ) now = (await thread.cpuUsage()).user;
    return thread;
  }
}

test('a right password lets nobody in when its thread ends in the middle of the hash, nor do those behind it', {
  timeout: 20_000,
}, async (t) => {
  const bench = new Bench(t);
  bench.queue.ask(0, question('first', QUICK, 'Hello world!'));
  assert.deepEqual(await bench.answers(1), ['0 first right']);
  bench.queue.ask(0, question('right', SLOW, 'Hello world!'));
  bench.queue.ask(1, question('wrong', SLOW, 'wrong'));
  bench.queue.ask(1, question('right', SLOW, 'Hello world!'));
  bench.queue.ask(0, question('quick', QUICK, 'Hello world!'));
  const thread = await bench.hashing();
  assert.equal(bench.told.length, 1);
  const [died, replaced] = [once(bench, 'died'), once(process, 'worker')];
  await Promise.all([thread.terminate(), died]);
  assert.deepEqual(bench.told.slice(1), ['0 right failed', '1 right failed', '1 wrong failed', '0 quick failed']);
  await replaced;
  assert.notEqual(bench.thread, thread);
  bench.queue.ask(1, question('right', SLOW, 'Hello world!'));
  bench.queue.ask(0, question('wrong', SLOW, 'wrong'));
  assert.deepEqual((await bench.answers(7)).slice(5), ['1 right right', '0 wrong wrong']);
});
