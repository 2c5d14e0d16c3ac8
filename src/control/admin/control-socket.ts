import { lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { makePrivateDirectory, refuseForeignRuntimeDirectory } from '../runtime-directory.ts';

/** Answers one request; what it throws is told to whoever asked. */
export type ControlHandler = (request: unknown) => Promise<unknown>;

/** A question, or an answer to one: a list of ten thousand routes takes about five megabytes. */
const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_CONNECTIONS = 32;
/** A client has to say what it wants within it. */
const REQUEST_TIMEOUT_MS = 5000;

type Reply = { readonly answer: unknown } | { readonly error: string };

/**
 * Where `photon reload` and other commands reach a running gateway: a Unix socket that only its user can open. One line of JSON comes
 * in, one goes out, and the connection ends.
 */
export class ControlSocket {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** Rejects with an Error of one line when another gateway answers at the path, or it cannot be had. */
  static async open(path: string, handler: ControlHandler): Promise<ControlSocket> {
    prepareControlSocket(path);
    if (await isAnswered(path)) throw new Error(`another gateway answers at ${path}`);
    removeFile(path);
    const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket, handler));
    server.maxConnections = MAX_CONNECTIONS;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    // The file is made within the call, and nobody else may ever open it.
    const umask = process.umask(0o177);
    server.listen(path, resolve);
    process.umask(umask);
    await promise;
    server.unref();
    return new ControlSocket(server, path);
  }

  close(): void {
    if (!this.#server.listening) return;
    this.#server.close();
    removeFile(this.#path);
  }
}

/** Makes the directory of a control socket. Throws an Error where no socket can be opened at the path. */
export function prepareControlSocket(path: string): void {
  makePrivateDirectory(dirname(path));
  refuseOtherFile(path);
}

/** Throws an Error where a file is at the path that is no socket: it is not taken away. */
export function refuseOtherFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSocket()) throw new Error(`${path} is no socket`);
}

function isAnswered(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.once('error', () => resolve(false));
  return promise;
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // There is none, or listening will say what is wrong with it.
  }
}

function serve(socket: Socket, handler: ControlHandler): void {
  socket.on('error', () => socket.destroy());
  socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
  readLine(socket, MAX_REQUEST_BYTES).then(
    async (line) => {
      socket.setTimeout(0);
      socket.end(`${JSON.stringify(await replyTo(line, handler))}\n`);
    },
    () => socket.destroy(),
  );
}

async function replyTo(line: string, handler: ControlHandler): Promise<Reply> {
  try {
    return { answer: await handler(JSON.parse(line)) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Rejects when the connection ends before the line does, or the line is longer than `maxBytes`. */
function readLine(socket: Socket, maxBytes: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let length = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (chunk.includes(0x0a)) resolve(Buffer.concat(chunks).toString('utf8').split('\n')[0] ?? '');
    else if (length > maxBytes) reject(new Error('the line is too long'));
  });
  socket.once('end', () => reject(new Error('the connection ended')));
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('the connection was closed')));
  return promise;
}

/** No gateway answers at a control socket. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** Asks the gateway at `path`. Rejects with an UnreachableError when none answers there, with another Error of one line when it cannot do what is asked. */
export async function askControlSocket(path: string, request: unknown): Promise<unknown> {
  refuseForeignRuntimeDirectory(dirname(path));
  const socket = connect(path);
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    const line = await readLine(socket, MAX_ANSWER_BYTES).catch((error: NodeJS.ErrnoException) => {
      throw new UnreachableError(`Cannot reach a running gateway at ${path}: ${error.code ?? error.message}`);
    });
    const reply = JSON.parse(line) as Reply;
    if ('error' in reply) throw new Error(reply.error);
    return reply.answer;
  } finally {
    socket.destroy();
  }
}
