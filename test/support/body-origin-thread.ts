import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parentPort } from 'node:worker_threads';
import { Pattern, PatternCheck } from './pattern.ts';
import { readSlowly } from './slow-reader.ts';

async function sendBody(response: ServerResponse, query: URLSearchParams): Promise<void> {
  const bytes = Number(query.get('bytes'));
  response.setHeader('Content-Type', 'application/octet-stream');
  if (query.get('framing') !== 'chunked') response.setHeader('Content-Length', bytes);
  await pipeline(Readable.from(new Pattern(Number(query.get('seed'))).parts(bytes), { objectMode: true }), response);
}

async function checkBody(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
  const check = new PatternCheck(new Pattern(Number(query.get('seed'))));
  await readSlowly(request, Number(query.get('pauseMs') ?? 0), (bytes) => check.update(bytes));
  const body = JSON.stringify(check.result());
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}

// Idle connections stay: one that closes just as 12 MB are sent on it fails that request rightly, for they cannot be sent again.
const server = createServer(
  { requestTimeout: 0, keepAliveTimeout: 0, highWaterMark: 256 * 1024 },
  (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://origin');
    const answered =
      request.method === 'GET' ? sendBody(response, searchParams) : checkBody(request, response, searchParams);
    // A client that breaks off is an expected end; whoever waits for the body notices by itself.
    answered.catch(() => response.destroy());
  },
);

server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
