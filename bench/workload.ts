/** What a client asks for and what must come back. */
import { createHash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';

export interface Workload {
  readonly method: 'GET' | 'POST';
  /** The targets, asked for in turn. */
  readonly paths: readonly string[];
  /** The request's body. */
  readonly body: string | null;
  /** Every reply's body. */
  readonly replyBytes: number;
  readonly replySha256: string;
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
  return workload.body === null ? browserHeaders : { ...browserHeaders, 'Content-Type': 'application/json' };
}

export function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Asks for a first, a middle and the last of the workload's targets over one keep-alive connection and compares status, length and digest. That
 * the second and third request work on the same connection shows that no byte of a body was lost or left over.
 * @throws Error with what differs
 */
export async function verifyReplies(who: string, port: number, workload: Workload): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { paths } = workload;
  try {
    for (const index of [0, paths.length >> 1, paths.length - 1]) {
      await verifyReply(who, port, paths[index] as string, workload, agent);
    }
  } finally {
    agent.destroy();
  }
}

async function verifyReply(who: string, port: number, path: string, workload: Workload, agent: Agent): Promise<void> {
  const { method, replyBytes, replySha256 } = workload;
  const reply = await fetchWhole(port, path, workload, agent);
  const got = { status: reply.status, bytes: reply.body.length, sha256: sha256(reply.body) };
  const want = { status: 200, bytes: replyBytes, sha256: replySha256 };
  if (JSON.stringify(got) === JSON.stringify(want)) return;
  throw new Error(
    `Wrong reply of ${who} to ${method} ${path}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}`,
  );
}

function fetchWhole(port: number, path: string, workload: Workload, agent: Agent) {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly body: Buffer }>();
  const { method, body } = workload;
  const length = body === null ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const headers = { ...headersOf(workload), ...length };
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent, timeout: 10_000 });
  sent.once('error', reject).once('timeout', () => sent.destroy(new Error(`No reply to ${method} ${path} in 10 s`)));
  sent.once('response', (reply: IncomingMessage) => {
    const chunks: Buffer[] = [];
    reply.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', reject);
    reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(chunks) }));
  });
  sent.end(body ?? undefined);
  return promise;
}
