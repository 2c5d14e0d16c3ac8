/**
 * The program of an `UpstreamProcess`. Before it answers a request it says through the IPC channel that it has come: what it has
 * received is known even when it is killed in the next moment.
 *
 *   /hello    `hello`        /begin   a head, and a part of the body, then nothing more
 *   /hang     no answer      /large   8 MiB
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { REPLY_BODY, REQUEST_ID_FIELD, type UpstreamReport } from './upstream-process.ts';

const LARGE = Buffer.alloc(8 * 1024 * 1024, 'x');

function report(message: UpstreamReport, sent: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, sent);
}

function answer(path: string | undefined, response: ServerResponse): void {
  response.sendDate = false;
  switch (path) {
    case '/hang':
      break;
    case '/begin':
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write('begun');
      break;
    case '/large':
      response.writeHead(200, { 'Content-Length': LARGE.length });
      response.end(LARGE);
      break;
    default:
      response.writeHead(200, { 'Content-Length': REPLY_BODY.length });
      response.end(REPLY_BODY);
  }
}

const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
  request.on('error', () => {});
  request.resume();
  const id = request.headers[REQUEST_ID_FIELD];
  report({ received: String(id) }, () => answer(request.url, response));
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => report({ port: (server.address() as AddressInfo).port }));
// Without the test there is nobody to serve.
process.on('disconnect', () => process.exit());
