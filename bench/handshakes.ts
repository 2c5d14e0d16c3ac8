/** Clients that make one TLS connection after the other, with a request on each. */
import { once } from 'node:events';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { headersOf, requestText, type Workload } from './workload.ts';

const AT_ONCE = 16;

export interface HandshakeLoad {
  readonly port: number;
  readonly workload: Workload;
  readonly seconds: number;
  /** Resume the session of a first connection, instead of a full handshake each time. */
  readonly resume: boolean;
}

/**
 * One context for all: making one costs more than a handshake. The key exchange is X25519 for everybody: left to themselves, Node
 * would take one that withstands quantum computers too (X25519MLKEM768), and Debian's nginx and HAProxy, which do not have it, would not.
 */
const context = createSecureContext({ minVersion: 'TLSv1.3', ecdhCurve: 'X25519' });

/**
 * Opens connections for `seconds`, sixteen at a time.
 * @returns how many there were
 * @throws Error when one fails, is not answered with 200 and the whole reply, or resumes when it must not or the other way round
 */
export async function makeHandshakes({
  port,
  workload,
  seconds,
  resume,
}: HandshakeLoad): Promise<{ requests: number }> {
  const session = resume ? await firstSession(port, workload) : null;
  const request = requestText(workload.paths[0] ?? '/', { ...headersOf(workload), Connection: 'close' });
  const end = Date.now() + seconds * 1000;
  let requests = 0;
  async function connectInTurn(): Promise<void> {
    for (; Date.now() < end; requests++) await ask(open(port, session), request, workload.replyBytes, resume);
  }
  await Promise.all(Array.from({ length: AT_ONCE }, connectInTurn));
  return { requests };
}

function open(port: number, session: Buffer | null): TLSSocket {
  return connect({
    ...{ host: '127.0.0.1', port, servername: 'localhost', secureContext: context, rejectUnauthorized: false },
    ...(session === null ? {} : { session }),
  });
}

async function firstSession(port: number, workload: Workload): Promise<Buffer> {
  const socket = open(port, null);
  const ticket = once(socket, 'session') as Promise<[Buffer]>;
  await ask(socket, requestText(workload.paths[0] ?? '/', headersOf(workload)), workload.replyBytes, false);
  const [session] = await ticket;
  return session;
}

/** One request, and the whole reply to it. */
function ask(socket: TLSSocket, request: string, replyBytes: number, resume: boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let received = '';
  socket.once('secureConnect', () => {
    if (socket.isSessionReused() !== resume) reject(new Error(`Wrong handshake: want resumed ${resume}`));
    socket.write(request);
  });
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0 || received.length < headEnd + 4 + replyBytes) return;
    if (received.startsWith('HTTP/1.1 200 ')) resolve();
    else reject(new Error(`Wrong reply after a handshake: ${received.slice(0, 60)}`));
    socket.end();
  });
  socket.once('error', reject).once('close', () => reject(new Error('A connection was closed before its reply')));
  return promise;
}
