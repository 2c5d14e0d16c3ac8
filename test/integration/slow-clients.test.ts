import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type BodyOrigin, startBodyOrigin } from '../support/body-origin.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { eventually } from '../support/guard.ts';
import { runProgram } from '../support/run-program.ts';

/** slowhttptest, a tool made to exhaust servers by being slow, against short timeouts. */

const CONNECTIONS = 100;
const TIMEOUT = '1s';
/** How long the tool goes on, unless it sees that the last of its connections was closed: longer than `eventually` waits. */
const LONGEST_SECONDS = 10;
/** The prompt client, and the tool's own probe for whether the server still answers. */
const OTHERS = 2;

let origin: BodyOrigin;
let gateway: Gateway;

before(async () => {
  origin = await startBodyOrigin();
  gateway = await startGateway({
    upstreamPorts: [origin.port],
    server: { connection_timeout: TIMEOUT, keepalive_timeout: TIMEOUT, body_timeout: TIMEOUT, send_timeout: TIMEOUT },
  });
});

after(async () => {
  gateway.plane.close();
  await origin.close();
});

/** A client in no hurry, but prompt. Its requests must all be answered. */
class PromptClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #finished: Promise<void>;
  #stopped = false;
  requests = 0;
  readonly failures: string[] = [];

  constructor() {
    this.#finished = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#finished;
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const failure = await this.#ask().catch(String);
      this.requests++;
      if (failure !== null) this.failures.push(failure);
      await pause(20);
    }
  }

  #ask(): Promise<string | null> {
    const { promise, resolve, reject } = Promise.withResolvers<string | null>();
    const path = '/body?seed=1&bytes=1000';
    get({ host: '127.0.0.1', port: gateway.port, path, agent: this.#agent }, (response) => {
      response.toArray().then((parts: Buffer[]) => {
        const isRight = response.statusCode === 200 && Buffer.concat(parts).length === 1000;
        resolve(isRight ? null : `status ${response.statusCode}`);
      }, reject);
    }).once('error', reject);
    return promise;
  }
}

const ATTACKS = [
  { name: 'slow heads', why: 'a field every second, and never the last one', args: ['-H', '-i', '1', '-x', '10'] },
  { name: 'slow bodies', why: 'a piece of the body every ten seconds', args: ['-B', '-i', '10', '-s', '8192'] },
  {
    name: 'slow readers',
    why: 'a window of a few bytes, and a read of a few of them every ten seconds',
    args: ['-X', '-w', '10', '-y', '20', '-n', '10', '-z', '10'],
  },
] as const;

for (const { name, why, args } of ATTACKS) {
  test(`${name} are cut by their timeout while others are served: ${why}`, { timeout: 300_000 }, async (t) => {
    const prompt = new PromptClient();
    t.after(() => prompt.stop());
    const attack = runProgram('slowhttptest', [
      ...args,
      ...['-c', String(CONNECTIONS), '-r', String(CONNECTIONS), '-l', String(LONGEST_SECONDS), '-p', '3'],
      ...['-u', `http://127.0.0.1:${gateway.port}/body?seed=1&bytes=20000000`],
    ]);
    const { plane } = gateway;
    const seen = () => `${plane.openConnections} connections, ${plane.activeExchanges} exchanges`;
    await eventually('the slow connections', () => plane.openConnections > CONNECTIONS / 5, seen);
    await eventually('the slow connections to be cut', () => plane.openConnections <= OTHERS, seen);
    const { exitCode, stdout } = await attack;
    assert.equal(exitCode, 0, stdout);
    await prompt.stop();
    assert.deepEqual(prompt.failures, []);
    assert.ok(prompt.requests > 0, 'nobody else was served');
    await eventually('every connection to be gone', () => plane.openConnections + plane.activeExchanges === 0, seen);
    assert.deepEqual(
      gateway.logLines.filter((line) => line.startsWith('error')),
      [],
    );
  });
}
