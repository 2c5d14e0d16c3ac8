/**
 * A small server to put behind the gateway: `node upstream.ts NAME PORT`. It greets under /hello/ and answers
 * everything else with the request as it arrived.
 */
import { createServer, type IncomingMessage } from 'node:http';

const [name = 'upstream', port = '9001'] = process.argv.slice(2);

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const server = createServer(async (request, response) => {
  const { method, url = '/', headers } = request;
  const body = await readBody(request);
  const reply = url.startsWith('/hello/')
    ? { upstream: name, message: `Hello, ${decodeURIComponent(url.slice('/hello/'.length))}!` }
    : { upstream: name, method, url, headers, body };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(reply)}\n`);
});

server.on('error', (error: NodeJS.ErrnoException) => {
  console.error(`Cannot start the upstream "${name}" on port ${port}: ${error.message}`);
  process.exit(1);
});
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => process.exit(0));
}
// The script that started us is gone.
process.on('disconnect', () => process.exit(0));
server.listen(Number(port), '127.0.0.1');
