/** Clients that no load generator plays: thousands that stay and say nothing, and some that read slowly. */
import { connect, type Socket } from 'node:net';
import { headersOf, requestText, type Workload } from './workload.ts';

const OPENING_AT_ONCE = 50;
const SOURCE_ADDRESSES = 9;
/** One read of up to 64 KiB, then this pause: about 1 MB/s. */
const SLOW_READ_PAUSE_MS = 60;
const SLOW_READ_BYTES = 65_536;

/**
 * Opens connections from 127.0.0.2 to 127.0.0.10, has one request answered on each, and leaves them open.
 * @returns what closes them, and throws when one of them is not open any more
 * @throws Error when one fails or is not answered with 200 and the whole reply
 */
export async function openIdleConnections(port: number, workload: Workload, count: number): Promise<() => void> {
  const sockets: Socket[] = [];
  async function openInTurn(): Promise<void> {
    while (sockets.length < count) {
      const socket = connect({
        port,
        host: '127.0.0.1',
        localAddress: `127.0.0.${2 + (sockets.length % SOURCE_ADDRESSES)}`,
      });
      sockets.push(socket);
      await exchangeOnce(socket, workload);
    }
  }
  await Promise.all(Array.from({ length: OPENING_AT_ONCE }, openInTurn));
  return function close() {
    const lost = sockets.filter((socket) => socket.destroyed || socket.readableEnded).length;
    for (const socket of sockets) socket.destroy();
    if (lost > 0) throw new Error(`Cannot measure idle connections: ${lost} of ${count} were closed`);
  };
}

function exchangeOnce(socket: Socket, workload: Workload): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let received = '';
  socket.setEncoding('latin1').write(requestText(workload.paths[0] ?? '/', headersOf(workload)));
  socket.once('error', reject).once('close', () => reject(new Error('A connection was closed that should stay open')));
  socket.on('data', (text: string) => {
    received += text;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0 || received.length < headEnd + 4 + workload.replyBytes) return;
    if (received.startsWith('HTTP/1.1 200 ')) resolve();
    else reject(new Error(`Wrong reply to an idle connection: ${received.slice(0, 60)}`));
  });
  return promise;
}

export interface SlowReaders {
  /** Ends them. @returns the bytes that all of them have read. @throws Error when one was cut off or got nothing */
  close(): number;
}

/** Opens clients that ask for `path` and take the reply in small sips. Resolves when each has its reply's head. */
export async function openSlowReaders(port: number, path: string, count: number): Promise<SlowReaders> {
  const readers = Array.from({ length: count }, () => openSlowReader(port, path));
  await Promise.all(readers.map((reader) => reader.answered));
  function close(): number {
    for (const { socket } of readers) {
      if (socket.destroyed || socket.bytesRead === 0)
        throw new Error(`A slow reader was cut off after ${socket.bytesRead} bytes`);
    }
    const bytes = readers.reduce((sum, { socket }) => sum + socket.bytesRead, 0);
    for (const { socket } of readers) socket.destroy();
    return bytes;
  }
  return { close };
}

function openSlowReader(port: number, path: string): { readonly socket: Socket; readonly answered: Promise<void> } {
  const { promise: answered, resolve, reject } = Promise.withResolvers<void>();
  function sip(bytes: number, buffer: Uint8Array): boolean {
    if (Buffer.from(buffer.buffer, buffer.byteOffset, Math.min(bytes, 13)).toString('latin1') === 'HTTP/1.1 200 ')
      resolve();
    else reject(new Error('Wrong reply to a slow reader: want 200'));
    setTimeout(() => socket.resume(), SLOW_READ_PAUSE_MS);
    return false;
  }
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: { buffer: Buffer.allocUnsafe(SLOW_READ_BYTES), callback: sip },
  });
  socket.once('error', reject).write(requestText(path, { Host: 'api.example.com' }));
  return { socket, answered };
}
