import assert from 'node:assert/strict';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { type BodyOrigin, startBodyOrigin } from '../support/body-origin.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type CheckedBody, Pattern, PatternCheck } from '../support/pattern.ts';
import { readSlowly } from '../support/slow-reader.ts';

/**
 * Whose bytes are these? Large bodies over many connections at once, a third of them read slowly, so that writes queue
 * up while other sockets go on reading. A gateway that lets one buffer serve two sockets mixes the bodies up.
 */

const BODIES = 200;
const BODY_BYTES = 12 * 1024 * 1024;
const CONNECTIONS = 48;
const SLOW_PAUSE_MS = 4;

const pauseOf = (body: number) => (body % 3 === 0 ? SLOW_PAUSE_MS : 0);

let origin: BodyOrigin;
let gateway: Gateway;

before(async () => {
  origin = await startBodyOrigin();
  gateway = await startGateway({ upstreamPorts: [origin.port] });
});

after(async () => {
  assert.equal(gateway.plane.activeExchanges, 0);
  gateway.plane.close();
  await origin.close();
});

/** Runs `transfer` for every body, as many at once as there are connections, and collects what was wrong. */
async function transferAll(transfer: (body: number, agent: Agent) => Promise<CheckedBody>): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const wrong: string[] = [];
  let next = 0;
  const work = async () => {
    for (let body = next++; body < BODIES; body = next++) {
      const { totalBytes, firstWrongOffset, digest } = await transfer(body, agent);
      const isRight = totalBytes === BODY_BYTES && firstWrongOffset === null && digest === digestOf(body);
      if (!isRight) wrong.push(`body ${body}: ${totalBytes} bytes, wrong from ${firstWrongOffset}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  agent.destroy();
  return wrong;
}

const digestOf = (body: number) => new Pattern(body).digest(BODY_BYTES);

async function exchange(agent: Agent, path: string, body?: Iterable<Buffer>): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const method = body === undefined ? 'GET' : 'PUT';
  const headers = body === undefined ? {} : { 'Content-Length': BODY_BYTES };
  const request = httpRequest({ host: '127.0.0.1', port: gateway.port, agent, method, path, headers });
  request.once('response', resolve).once('error', reject);
  if (body === undefined) request.end();
  else await pipeline(Readable.from(body, { objectMode: true }), request);
  return promise;
}

for (const framing of ['length', 'chunked']) {
  test(`two hundred bodies come down whole, every third reader slow (${framing})`, { timeout: 120_000 }, async () => {
    const wrong = await transferAll(async (body, agent) => {
      const response = await exchange(agent, `/body?seed=${body}&bytes=${BODY_BYTES}&framing=${framing}`);
      const check = new PatternCheck(new Pattern(body));
      await readSlowly(response, pauseOf(body), (bytes) => check.update(bytes));
      return check.result();
    });
    assert.deepEqual(wrong, []);
  });
}

test('two hundred bodies go up whole, every third reader slow', { timeout: 120_000 }, async () => {
  const wrong = await transferAll(async (body, agent) => {
    const path = `/body?seed=${body}&pauseMs=${pauseOf(body)}`;
    const response = await exchange(agent, path, new Pattern(body).parts(BODY_BYTES));
    return JSON.parse(Buffer.concat(await response.toArray()).toString()) as CheckedBody;
  });
  assert.deepEqual(wrong, []);
});
