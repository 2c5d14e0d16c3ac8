import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { type BodyOrigin, startBodyOrigin } from '../support/body-origin.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { type CheckedBody, Pattern, PatternCheck } from '../support/pattern.ts';
import { runProgram } from '../support/run-program.ts';

/** A gigabyte each way, generated and checked on the fly: client -> gateway -> nginx -> a thread that makes bodies. */

const TOTAL = 1024 ** 3;
const pattern = new Pattern(1);

let origin: BodyOrigin;
let nginx: Nginx;
let gateway: Gateway;
let expected: CheckedBody;

before(async () => {
  origin = await startBodyOrigin();
  nginx = await startNginx(`
    location / {
      proxy_pass http://127.0.0.1:${origin.port};
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_buffers 4 64k;
      proxy_buffer_size 64k;
      proxy_request_buffering off;
      client_body_buffer_size 256k;
    }
  `);
  gateway = await startGateway({ upstreamPorts: [nginx.port] });
  expected = { totalBytes: TOTAL, firstWrongOffset: null, digest: pattern.digest(TOTAL) };
});

after(async () => {
  assert.equal(gateway.plane.activeExchanges, 0);
  gateway.plane.close();
  await nginx.close();
  await origin.close();
});

async function exchange(options: RequestOptions, body?: Iterable<Buffer>): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest({ host: '127.0.0.1', port: gateway.port, ...options });
  request.once('response', resolve).once('error', reject);
  if (body === undefined) request.end();
  else await pipeline(Readable.from(body, { objectMode: true }), request);
  return promise;
}

for (const { framing, header } of [
  { framing: 'length', header: 'content-length' },
  { framing: 'chunked', header: 'transfer-encoding' },
] as const) {
  test(`a gigabyte comes down byte for byte (${framing})`, { timeout: 60_000 }, async () => {
    const response = await exchange({ path: `/body?seed=1&bytes=${TOTAL}&framing=${framing}` });
    assert.equal(response.statusCode, 200);
    assert.ok(response.headers[header] !== undefined);
    const check = new PatternCheck(pattern);
    for await (const bytes of response) check.update(bytes as Buffer);
    assert.deepEqual(check.result(), expected);
  });

  test(`a gigabyte goes up byte for byte (${framing})`, { timeout: 60_000 }, async () => {
    const headers = framing === 'length' ? { 'Content-Length': TOTAL } : { 'Transfer-Encoding': 'chunked' };
    const response = await exchange({ method: 'PUT', path: '/body?seed=1', headers }, pattern.parts(TOTAL));
    assert.equal(response.statusCode, 200);
    assert.deepEqual(JSON.parse(Buffer.concat(await response.toArray()).toString()), expected);
  });
}

test('curl brings a gigabyte up from a pipe, in chunks', { timeout: 60_000 }, async () => {
  const url = `http://127.0.0.1:${gateway.port}/body?seed=1`;
  const input = Readable.from(pattern.parts(TOTAL), { objectMode: true });
  const { exitCode, stdout, stderr } = await runProgram('curl', ['-sS', '--max-time', '50', '-T', '-', url], input);
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), expected);
});

test('curl brings a gigabyte down', { timeout: 60_000 }, async () => {
  const url = `http://127.0.0.1:${gateway.port}/body?seed=1&bytes=${TOTAL}&framing=length`;
  const format = '%{http_code} %{size_download}';
  const { stdout } = await runProgram('curl', ['-sS', '--max-time', '50', '-o', '/dev/null', '-w', format, url]);
  assert.equal(stdout, `200 ${TOTAL}`);
});
