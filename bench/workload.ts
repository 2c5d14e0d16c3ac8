/** What a client asks for and what must come back. */
import { createHash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { request as requestSecure, Agent as SecureAgent } from 'node:https';

export interface Workload {
  readonly method: 'GET' | 'POST';
  /** The targets, asked for in turn. */
  readonly paths: readonly string[];
  /** The request's body. */
  readonly body: string | null;
  /** Every reply's body. Digest null: it is another one every time, of so many bytes at least. */
  readonly replyBytes: number;
  readonly replySha256: string | null;
  /** Every request on a connection of its own. */
  readonly newConnections?: boolean;
  /** Besides what a browser sends. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Every request with another token, in `Authorization`. */
  readonly tokens?: TokenPattern;
  /** By default 200. */
  readonly replyStatus?: number;
}

/** A token as text, with a place for a number of nine digits that is written in base64url. */
export interface TokenPattern {
  readonly before: string;
  readonly after: string;
}

/** Twelve characters; `number` is below a thousand million. */
const digitsInBase64 = (number: number): string => Buffer.from(`${number}`.padStart(9, '0')).toString('base64url');

export const tokenOf = ({ before, after }: TokenPattern, number: number): string =>
  before + digitsInBase64(number) + after;

/** Where to ask. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly secure: boolean;
}

/** What a browser sends with a fetch(): about 350 bytes of head, with the request line. */
const browserHeaders: Readonly<Record<string, string>> = {
  Host: 'api.example.com',
  Connection: 'keep-alive',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  Accept: 'application/json',
  'Accept-Language': 'en-GB,en;q=0.9',
  'Accept-Encoding': 'gzip, deflate, br',
  Referer: 'https://www.example.com/shop',
  Cookie: 'session=f3c1d5a97b02e684',
};

export function headersOf(workload: Workload): Readonly<Record<string, string>> {
  const connection = workload.newConnections ? { Connection: 'close' } : {};
  const type = workload.body === null ? {} : { 'Content-Type': 'application/json' };
  return { ...browserHeaders, ...connection, ...type, ...workload.fields };
}

/** A GET as it goes over the wire. */
export function requestText(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

export function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Asks for a first, a middle and the last of the workload's targets over one keep-alive connection and compares status, length and digest. That
 * the second and third request work on the same connection shows that no byte of a body was lost or left over.
 * @throws Error with what differs
 */
export async function verifyReplies(server: Server, workload: Workload): Promise<void> {
  const options = { keepAlive: true, maxSockets: 1, rejectUnauthorized: false };
  const agent = server.secure ? new SecureAgent(options) : new Agent(options);
  const { paths } = workload;
  try {
    for (const index of [0, paths.length >> 1, paths.length - 1]) {
      await verifyReply(server, paths[index] as string, workload, agent);
    }
  } finally {
    agent.destroy();
  }
}

async function verifyReply(server: Server, path: string, workload: Workload, agent: Agent): Promise<void> {
  const { method, replyBytes, replySha256, replyStatus = 200 } = workload;
  const reply = await fetchWhole(server, path, workload, agent);
  const got = {
    status: reply.status,
    bytes: replySha256 === null ? Math.min(reply.body.length, replyBytes) : reply.body.length,
    sha256: replySha256 === null ? null : sha256(reply.body),
  };
  const want = { status: replyStatus, bytes: replyBytes, sha256: replySha256 };
  if (JSON.stringify(got) === JSON.stringify(want)) return;
  throw new Error(
    `Wrong reply of ${server.name} to ${method} ${path}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}`,
  );
}

/** One request; with an agent on one of its connections. */
export function fetchWhole({ port, secure }: Server, path: string, workload: Workload, agent?: Agent) {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly body: Buffer }>();
  const { method, body } = workload;
  const length = body === null ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const token = workload.tokens === undefined ? {} : { Authorization: `Bearer ${tokenOf(workload.tokens, 0)}` };
  const headers = { ...headersOf(workload), ...length, ...token };
  const ask = secure ? requestSecure : request;
  const sent = ask({ host: '127.0.0.1', port, method, path, headers, timeout: 10_000, ...(agent && { agent }) });
  sent.once('error', reject).once('timeout', () => sent.destroy(new Error(`No reply to ${method} ${path} in 10 s`)));
  sent.once('response', (reply: IncomingMessage) => {
    const chunks: Buffer[] = [];
    reply.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', reject);
    reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(chunks) }));
  });
  sent.end(body ?? undefined);
  return promise;
}
