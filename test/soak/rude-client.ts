import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Random } from '../support/random.ts';

/** Where the gateway listens. */
export interface SoakTarget {
  readonly port: number;
  readonly secure: boolean;
  readonly manners: Manners;
}

/** How a client leaves when it has said what it had to say. */
type Leave = (client: RudeClient) => void;

/** An RST, whatever is on its way. */
const breakOff: Leave = (client) => client.reset();

/** It stops reading, and goes a while later. */
const stallAndBreakOff: Leave = (client) => {
  client.socket.pause();
  setTimeout(() => client.reset(), 50);
};

/** A FIN, and an RST for what comes then. */
const closeEarly: Leave = ({ socket }) => void socket.destroy();

/** A FIN, and then it waits for the end. */
const closeHalf: Leave = ({ socket }) => void socket.end();

/**
 * `resets`: whoever hears of it knows that the client is gone. `any`: after a FIN alone it may still want its reply, and nobody can
 * tell before something is sent to it.
 */
export type Manners = 'resets' | 'any';

const LEAVES: Readonly<Record<Manners, readonly Leave[]>> = {
  resets: [breakOff, breakOff, stallAndBreakOff],
  any: [breakOff, stallAndBreakOff, closeEarly, closeHalf],
};

const head = (method: string, path: string, ...lines: string[]) =>
  [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...lines, '', ''].join('\r\n');

const PATHS = ['/hello', '/hello', '/hang', '/begin', '/large', '/drop', '/cut'] as const;

/** What a client says, in pieces with a pause between them: each is a stage at which it may leave. */
const SPEECHES: readonly ((random: Random) => readonly string[])[] = [
  () => [],
  () => ['GET /hel'],
  () => ['\r\n', 'GET /hello HTTP/1.1\r\nHost: loc', 'alhost\r\nX-More'],
  (random) => [head('GET', random.pick(PATHS))],
  (random) => [...head('GET', random.pick(PATHS), `X-Filler: ${'f'.repeat(20)}`)],
  (random) => [head('GET', '/hello'), head('GET', random.pick(PATHS)), head('GET', '/hello')],
  (random) => [`${head('GET', '/hello')}${head('GET', random.pick(PATHS))}GET /hel`],
  (random) => [head('POST', random.pick(PATHS), 'Content-Length: 100000'), 'b'.repeat(random.below(99_999))],
  (random) => [head('PUT', random.pick(PATHS), 'Content-Length: 10'), '0123456789', head('GET', '/hello')],
  (random) => [head('POST', random.pick(PATHS), 'Transfer-Encoding: chunked'), '5\r\nabc', 'de\r\n', '0\r\n'],
  (random) => [head('POST', random.pick(PATHS), 'Content-Length: 5', 'Expect: 100-continue'), 'ab'],
  () => ['\0\x01 garbage\r\n\r\n'],
  () => [head('GET', '/hello', 'Content-Length: 5', 'Transfer-Encoding: chunked'), 'abcde'],
];

/** Stops listening at a place that TLS does not expect: a record's head, and half of its body. */
const HALF_HANDSHAKE = '\x16\x03\x01\x02\x00\x01\x00\x01';

/** A client that goes without a good-bye. */
class RudeClient {
  readonly carrier: Socket;
  readonly socket: Socket;
  readonly closed: Promise<void>;

  constructor(port: number, secure: boolean) {
    // Whoever waits for a client has a timer that keeps the process.
    this.carrier = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }).unref();
    this.socket = secure ? connectTls({ socket: this.carrier, rejectUnauthorized: false }) : this.carrier;
    // Of a TLS connection and the socket that it took over, either may be the one that says so.
    const sockets = [...new Set([this.carrier, this.socket])];
    this.closed = Promise.race(sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve))));
    for (const socket of sockets) socket.on('error', () => {});
    this.socket.on('end', () => this.socket.end());
    this.socket.resume();
  }

  /**
   * A reset while a FIN is on its way leaves a request of Node's that never ends: the process does not leave either. Once it has shut
   * down its side, a socket can only be closed.
   */
  reset(): void {
    if (this.carrier.destroyed) return;
    if (this.socket.writableEnded || this.carrier.writableEnded) this.carrier.destroy();
    else this.carrier.resetAndDestroy();
  }

  /** The end of it, in whatever state it is. */
  breakOff(): void {
    this.reset();
    this.socket.destroy();
  }
}

const pause = (random: Random) => new Promise<void>((resolve) => setTimeout(resolve, random.below(4)));

/** How long a client that waits for the gateway's end of the connection waits for it. */
const PATIENCE_MS = 3000;

/** One connection from its beginning to its rude end. Resolves when it is gone. */
export async function leaveRudely(target: SoakTarget, random: Random): Promise<void> {
  const breaksHandshake = target.secure && random.below(10) === 0;
  const client = new RudeClient(target.port, target.secure && !breaksHandshake);
  const pieces = breaksHandshake ? [HALF_HANDSHAKE] : random.pick(SPEECHES)(random);
  const leavesAfter = random.below(3) === 0 ? random.below(pieces.length + 1) : pieces.length;
  for (const piece of pieces.slice(0, leavesAfter)) {
    client.socket.write(piece, 'latin1');
    if (piece.length > 1 || random.below(20) === 0) await pause(random);
  }
  if (random.below(2) === 0) await pause(random);
  random.pick(LEAVES[target.manners])(client);
  const patience = setTimeout(() => client.breakOff(), PATIENCE_MS);
  await client.closed;
  clearTimeout(patience);
  client.breakOff();
}
