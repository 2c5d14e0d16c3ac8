import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { eventually } from '../support/guard.ts';

/** What a server does with what it is asked; null: nothing. */
export type Answer = (question: string, socket: Socket) => string | null;

/** A server that is checked, and that a test takes down and up again. */
export class CheckedServer {
  readonly port: number;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Everything that came, by connection. */
  readonly heard: string[] = [];
  answer: Answer;

  private constructor(server: Server, port: number, answer: Answer, tls: TLSSocketOptions | null) {
    this.#server = server;
    this.port = port;
    this.answer = answer;
    server.on('connection', (socket) => this.#take(socket, tls));
  }

  static async start(answer: Answer = () => null, tls: TLSSocketOptions | null = null): Promise<CheckedServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CheckedServer(server, (server.address() as AddressInfo).port, answer, tls);
  }

  static async atPath(path: string, answer: Answer): Promise<CheckedServer> {
    const server = createServer();
    server.listen(path);
    await once(server, 'listening');
    return new CheckedServer(server, 0, answer, null);
  }

  get connections(): number {
    return this.heard.length;
  }

  get open(): number {
    return this.#open.size;
  }

  #take(carrier: Socket, tls: TLSSocketOptions | null): void {
    const socket = tls === null ? carrier : new TLSSocket(carrier, { ...tls, isServer: true });
    const number = this.heard.push('') - 1;
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => socket.destroy());
    let question = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.heard[number] += text;
      question += text;
      if (!question.endsWith('\r\n\r\n')) return;
      const reply = this.answer(question, socket);
      question = '';
      if (reply !== null) socket.write(reply, 'latin1');
    });
  }

  /** Ends the connections that are open. */
  hangUp(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.hangUp();
    await closed;
  }

  async up(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async untilConnections(count: number): Promise<void> {
    await eventually(
      `${count} connections`,
      () => this.connections >= count,
      () => `${this.connections} came`,
    );
  }
}
