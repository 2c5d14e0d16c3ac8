/** A client that knows which worker of Photon it talks to: a request id begins with digits that are the worker's own. */
import { connect, type Socket } from 'node:net';
import { requestText } from './workload.ts';

const WORKER_DIGITS = 16;
const CONNECTIONS_MAX = 2000;
/** No route has it, so no middleware sees it. */
const NOWHERE = '/which-worker-is-this';

export interface Reply {
  readonly status: number;
  /** Differs from worker to worker. */
  readonly worker: string;
}

/** Replies in turn, whose bodies have a length. */
export class ClientConnection {
  onReply: (reply: Reply) => void = () => {};
  failure: Error | null = null;
  readonly #socket: Socket;
  #received = '';

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#take(text));
    this.#socket.once('error', (error) => this.#fail(error));
    this.#socket.once('end', () => this.#fail(new Error('A connection was closed that should stay open')));
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The worker at the other end. */
  askWorker(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#socket.once('close', () =>
      reject(this.failure ?? new Error('A connection was closed that should stay open')),
    );
    this.onReply = ({ worker }) => resolve(worker);
    this.send(requestText(NOWHERE, { Host: 'api.example.com' }));
    return promise;
  }

  #fail(error: Error): void {
    this.failure ??= error;
    this.close();
  }

  #take(text: string): void {
    this.#received += text;
    try {
      for (let end = endOfReply(this.#received); end > 0; end = endOfReply(this.#received)) {
        this.onReply(parseReply(this.#received));
        this.#received = this.#received.slice(end);
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }
}

/** 0: it is not all here. */
function endOfReply(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return 0;
  const bodyBytes = Number(/^Content-Length: (\d+)\r$/im.exec(text.slice(0, headEnd + 1))?.[1]);
  const end = headEnd + 4 + bodyBytes;
  return text.length < end ? 0 : end;
}

function parseReply(text: string): Reply {
  const id = /^X-Request-ID: (\S+)/m.exec(text)?.[1] ?? '';
  return { status: Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)), worker: id.slice(0, WORKER_DIGITS) };
}

/**
 * So many connections to each worker, in turn. Which worker accepts one is the system's to say, so they are opened until there are
 * enough. @throws Error when one worker gets none
 */
export async function openConnections(port: number, workers: number, perWorker: number): Promise<ClientConnection[]> {
  const byWorker = new Map<string, ClientConnection[]>();
  const isDone = () => byWorker.size === workers && [...byWorker.values()].every((own) => own.length >= perWorker);
  for (let opened = 0; !isDone(); opened++) {
    if (opened === CONNECTIONS_MAX) throw new Error(`Cannot reach every worker: want ${workers}, got ${byWorker.size}`);
    const connection = new ClientConnection(port);
    const worker = await connection.askWorker();
    byWorker.set(worker, [...(byWorker.get(worker) ?? []), connection]);
  }
  const all = [...byWorker.values()];
  for (const surplus of all.flatMap((own) => own.slice(perWorker))) surplus.close();
  return Array.from({ length: perWorker }, (_none, at) => all.map((own) => own[at] as ClientConnection)).flat();
}
