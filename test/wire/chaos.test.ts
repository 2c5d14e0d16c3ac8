import assert from 'node:assert/strict';
import type { WireClient } from '../support/client.ts';
import { settle } from '../support/guard.ts';
import { chunked } from '../support/message.ts';
import { Random } from '../support/random.ts';
import { SEED } from '../support/seed.ts';
import type { ReceivedRequest, UpstreamConnection } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

/**
 * Many clients and an upstream that do everything that clients and upstreams do, in a random order that a seed fixes.
 * Whatever happens, a client gets its own reply whole, or sees that it has not got one; and nothing is left behind.
 *
 *   the target of a request says what its upstream does: /KIND/ID, and a good reply's body repeats the ID
 */

const CLIENTS = 120;

const bodyOf = (id: string, bytes: number) => `<${id}>`.repeat(Math.ceil(bytes / (id.length + 2)));

/** What the upstream does with a request; what it returns is sent, and `ending` follows. */
interface Deed {
  readonly kind: string;
  /** The reply, in pieces that are sent one by one. */
  readonly pieces: (id: string, random: Random) => string[];
  readonly ending?: 'end' | 'reset';
  /** Whether the client may be given anything but this whole reply. */
  readonly mayFail: boolean;
}

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.join('\r\n')}${lines.length > 0 ? '\r\n' : ''}\r\n`;

function lengthReply(id: string, random: Random, ...lines: string[]): string[] {
  const body = bodyOf(id, random.below(3) === 0 ? random.below(300_000) : random.below(500));
  const at = random.below(body.length + 1);
  return [`${head(`Content-Length: ${body.length}`, ...lines)}${body.slice(0, at)}`, body.slice(at)];
}

function chunkedReply(id: string, random: Random): string[] {
  const body = bodyOf(id, random.below(100_000));
  const at = random.below(body.length + 1);
  const whole =
    head('Transfer-Encoding: chunked') + chunked([body.slice(0, at), body.slice(at)].filter((part) => part !== ''));
  const cut = random.below(whole.length);
  return [whole.slice(0, cut), whole.slice(cut)];
}

const DEEDS: readonly Deed[] = [
  { kind: 'length', pieces: lengthReply, mayFail: false },
  { kind: 'chunked', pieces: chunkedReply, mayFail: false },
  { kind: 'close', pieces: (id, random) => [head(), bodyOf(id, random.below(50_000))], ending: 'end', mayFail: false },
  { kind: 'last', pieces: (id, random) => lengthReply(id, random, 'Connection: close'), ending: 'end', mayFail: false },
  {
    kind: 'hints',
    pieces: (id, random) => ['HTTP/1.1 103 Early Hints\r\n\r\n', ...lengthReply(id, random)],
    mayFail: false,
  },
  { kind: 'reset', pieces: () => [], ending: 'reset', mayFail: true },
  { kind: 'gone', pieces: () => [], ending: 'end', mayFail: true },
  { kind: 'half', pieces: (id) => [head('Content-Length: 100000'), bodyOf(id, 50_000)], ending: 'end', mayFail: true },
  {
    kind: 'cut',
    pieces: (id) => [head('Transfer-Encoding: chunked'), `5\r\n${id.slice(0, 2)}`],
    ending: 'reset',
    mayFail: true,
  },
  { kind: 'garbage', pieces: () => ['\x00\x01garbage\r\n\r\n'], mayFail: true },
  // In one piece: what comes later may come when the connection serves somebody else, and no proxy can tell.
  {
    kind: 'surplus',
    pieces: (id) => [`${head('Content-Length: 0', `X-Id: ${id}`)}HTTP/1.1 200 OK\r\n\r\nevil`],
    mayFail: false,
  },
];

const deedOf = (target: string) => DEEDS.find(({ kind }) => kind === target.split('/')[1]) as Deed;
const idOf = (target: string) => target.split('/')[2] ?? '';

async function runUpstream({ upstream }: WireContext, random: Random, isOver: () => boolean): Promise<void> {
  const running: Promise<void>[] = [];
  for (let taken = 0; !isOver(); await settle(1)) {
    for (; taken < upstream.connectionCount; taken++) running.push(serve(await upstream.accept(), random.fork()));
  }
  await Promise.all(running);
}

async function serve(connection: UpstreamConnection, random: Random): Promise<void> {
  for (;;) {
    const request = await connection.expectRequest().catch(() => null);
    // A request that the gateway gave up because its client did: the connection is gone.
    if (request === null) return connection.end();
    if (!(await answer(connection, request, random))) return;
  }
}

/** Returns whether the connection goes on. */
async function answer(connection: UpstreamConnection, request: ReceivedRequest, random: Random): Promise<boolean> {
  const { pieces, ending } = deedOf(request.target);
  const id = idOf(request.target);
  if (request.body !== '') assert.equal(request.body, bodyOf(id, request.body.length));
  for (const piece of pieces(id, random)) {
    await connection.send(piece);
    if (random.below(2) === 0) await settle(random.below(4));
  }
  if (ending !== undefined) connection[ending]();
  return ending === undefined;
}

function requestText(target: string, random: Random): string {
  const id = idOf(target);
  const fields = `Host: a.example\r\nX-Filler: ${'f'.repeat(random.below(2000))}\r\n`;
  if (random.below(2) === 0) return `GET ${target} HTTP/1.1\r\n${fields}\r\n`;
  const body = bodyOf(id, random.below(4) === 0 ? random.below(200_000) : random.below(100));
  const at = random.below(body.length);
  return random.below(2) === 0
    ? `PUT ${target} HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
    : `POST ${target} HTTP/1.1\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${chunked([body.slice(0, at + 1), body.slice(at + 1)].filter((part) => part !== ''))}`;
}

async function runClient(client: WireClient, name: number, random: Random): Promise<void> {
  for (let burst = 0; burst < 3; burst++) {
    const targets = Array.from({ length: 1 + random.below(3) }, (_none, index) => {
      const { kind } = random.pick(DEEDS);
      return `/${kind}/c${name}b${burst}r${index}`;
    });
    const text = targets.map((target) => requestText(target, random)).join('');
    if (!(await playBurst(client, targets, text, random))) return;
  }
}

/** Sends pipelined requests and reads their replies. Returns whether the client goes on. */
async function playBurst(client: WireClient, targets: string[], text: string, random: Random): Promise<boolean> {
  const vanishes = random.below(6) === 0;
  const sent = vanishes ? text.slice(0, random.below(text.length)) : text;
  const at = random.below(sent.length + 1);
  if (random.below(4) === 0) client.pause();
  void client.send(sent.slice(0, at));
  await settle(random.below(3));
  void client.send(sent.slice(at));
  if (vanishes) {
    await settle(random.below(10));
    client.reset();
    return false;
  }
  await settle(random.below(20));
  client.resume();
  for (const target of targets) {
    if (!(await readReply(client, target))) return false;
  }
  return true;
}

/** Returns whether the connection goes on. */
async function readReply(client: WireClient, target: string): Promise<boolean> {
  const { kind, mayFail } = deedOf(target);
  const reply = await readFinalReply(client);
  if (reply === null) {
    assert.ok(mayFail, `${target}: no whole reply`);
    return false;
  }
  if (reply.status === 200) {
    assert.ok(!mayFail, `${target}: a whole reply of what was none`);
    assert.equal(reply.body, bodyOf(idOf(target), reply.body.length), `${target}: not its own body`);
  } else {
    assert.equal(reply.status, 502, target);
    assert.ok(mayFail, `${target}: ${reply.status}`);
  }
  return kind !== '' && !/close/i.test(reply.fields.get('connection') ?? '');
}

async function readFinalReply(client: WireClient): Promise<Awaited<ReturnType<WireClient['expectReply']>> | null> {
  for (;;) {
    const reply = await client.expectReply().catch((error: unknown) => {
      if (client.inbox.ending !== null) return null;
      throw error;
    });
    if (reply === null || reply.status >= 200) return reply;
  }
}

wire(
  `clients and upstreams at their worst (PHOTON_FUZZ_SEED=${SEED})`,
  { routes: [{ retries: 0 }] },
  async (context) => {
    const random = new Random(SEED);
    let over = false;
    const serving = runUpstream(context, random.fork(), () => over);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => context.client.connect()));
    const outcomes = await Promise.allSettled(clients.map((client, name) => runClient(client, name, random.fork())));
    for (const client of clients) client.reset();
    await settle();
    over = true;
    context.gateway.plane.close();
    await serving;
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    assert.deepEqual(
      context.gateway.logLines.filter((line) => line.startsWith('error')),
      [],
    );
  },
);
