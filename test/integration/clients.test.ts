import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { eventually } from '../support/guard.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { runProgram } from '../support/run-program.ts';

/** Clients that people use, against a gateway with a real nginx behind it. */

const TEXT = 'a text that nginx serves from a file\n'.repeat(500);

let nginx: Nginx;
let gateway: Gateway;
let base: string;

before(async () => {
  nginx = await startNginx(`
    absolute_redirect off;
    location / { gzip on; gzip_proxied any; }
    location = /json { default_type application/json; return 200 '{"method":"$request_method","host":"$http_host"}'; }
    location = /empty { return 204; }
    location = /echo-length { client_body_buffer_size 8m; proxy_pass http://$server_addr:$server_port/measured; }
    location = /measured { return 200 '$content_length'; }
    location = /moved { return 302 /json; }
  `);
  await writeFile(join(nginx.root, 'text.html'), TEXT);
  gateway = await startGateway({ upstreamPorts: [nginx.port] });
  base = `http://127.0.0.1:${gateway.port}`;
});

after(async () => {
  await eventually(
    'all exchanges to end',
    () => gateway.plane.activeExchanges === 0,
    () => `${gateway.plane.activeExchanges} are active`,
  );
  gateway.plane.close();
  await nginx.close();
  assert.deepEqual(
    gateway.logLines.filter((line) => line.startsWith('error')),
    [],
  );
});

async function curl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram('curl', [
    '--silent',
    '--show-error',
    '--max-time',
    '20',
    ...args,
  ]);
  assert.equal(exitCode, 0, `curl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

test('curl gets a file byte for byte', async () => {
  assert.equal(await curl(`${base}/text.html`), TEXT);
});

test('curl gets a file over HTTP/1.0', async () => {
  assert.equal(await curl('--http1.0', `${base}/text.html`), TEXT);
});

test('curl gets a compressed file as nginx compressed it, in chunks', async () => {
  const reply = await curl('--include', '--raw', '-H', 'Accept-Encoding: gzip', `${base}/text.html`);
  assert.match(reply, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(reply, /^Content-Encoding: gzip\r$/im);
  assert.match(reply, /^Transfer-Encoding: chunked\r$/im);
  assert.equal(await curl('--compressed', `${base}/text.html`), TEXT);
});

test('curl gets the head only with --head', async () => {
  const head = await curl('--head', `${base}/text.html`);
  assert.match(head, new RegExp(`^Content-Length: ${TEXT.length}\\r$`, 'im'));
  assert.ok(head.endsWith('\r\n\r\n'));
});

test('curl gets a range', async () => {
  assert.equal(await curl('--range', '2-5', `${base}/text.html`), TEXT.slice(2, 6));
});

test('curl asks again with an ETag and gets 304 without a body', async () => {
  const head = await curl('--head', `${base}/text.html`);
  const etag = /^ETag: (.*)\r$/im.exec(head)?.[1] ?? '';
  assert.notEqual(etag, '');
  const answer = await curl('--write-out', '%{http_code}', '-H', `If-None-Match: ${etag}`, `${base}/text.html`);
  assert.equal(answer, '304');
});

test('curl gets several files over one connection', async () => {
  const urls = Array.from({ length: 10 }, () => ['--output', '/dev/null', `${base}/text.html`]).flat();
  assert.equal(await curl('--write-out', '%{http_code}:%{num_connects} ', ...urls), `200:1 ${'200:0 '.repeat(9)}`);
});

test('curl goes on with the connection after 204 and 404', async () => {
  const urls = ['/empty', '/nowhere', '/json'].flatMap((path) => ['--output', '/dev/null', base + path]);
  assert.equal(await curl('--write-out', '%{http_code}:%{num_connects} ', ...urls), '204:1 404:0 200:0 ');
});

test('curl follows a redirect of nginx back to the gateway', async () => {
  const [body, url] = (await curl('--location', '--write-out', '\n%{url_effective}', `${base}/moved`)).split('\n');
  assert.deepEqual(JSON.parse(body ?? ''), { method: 'GET', host: `127.0.0.1:${gateway.port}` });
  assert.equal(url, `${base}/json`);
});

for (const { how, args } of [
  { how: 'with a length and 100-continue', args: ['-H', 'Expect: 100-continue'] },
  { how: 'with a length and without waiting', args: ['-H', 'Expect:'] },
  { how: 'in chunks', args: ['-H', 'Transfer-Encoding: chunked'] },
]) {
  test(`curl uploads three megabytes ${how}`, async () => {
    const file = join(nginx.root, 'upload');
    await writeFile(file, Buffer.alloc(3_000_000, 'u'));
    const answer = await curl(...args, '--data-binary', `@${file}`, `${base}/echo-length`);
    assert.equal(answer, '3000000');
  });
}

test('forty parallel transfers of curl all succeed', async () => {
  const urls = Array.from({ length: 40 }, () => ['--output', '/dev/null', `${base}/text.html`]).flat();
  const codes = await curl(
    '--parallel',
    '--parallel-max',
    '40',
    '--no-progress-meter',
    '--write-out',
    '%{http_code} ',
    ...urls,
  );
  assert.equal(codes, '200 '.repeat(40));
});

test('node:http gets a thousand replies over sixteen kept connections', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const sockets = new Set<unknown>();
  const one = () =>
    new Promise<string>((resolve, reject) => {
      const request = get(`${base}/json`, { agent }, (response) => {
        sockets.add(response.socket);
        let body = '';
        response.setEncoding('latin1');
        response.on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve(body)).on('error', reject);
      });
      request.on('error', reject);
    });
  const bodies = await Promise.all(Array.from({ length: 1000 }, one));
  agent.destroy();
  const expected = `{"method":"GET","host":"127.0.0.1:${gateway.port}"}`;
  assert.deepEqual([...new Set(bodies)], [expected]);
  assert.equal(sockets.size, 16);
});

test('fetch gets and posts', async () => {
  assert.equal(await (await fetch(`${base}/text.html`)).text(), TEXT);
  const answer = await fetch(`${base}/echo-length`, { method: 'POST', body: 'x'.repeat(10_000) });
  assert.equal(await answer.text(), '10000');
});

test('wrk sees neither an error nor another status', async () => {
  const { exitCode, stdout } = await runProgram('wrk', ['-t1', '-c32', '-d2s', `${base}/json`]);
  assert.equal(exitCode, 0, stdout);
  assert.doesNotMatch(stdout, /Socket errors|Non-2xx/, stdout);
  assert.ok(Number(/(\d+) requests in/.exec(stdout)?.[1]) > 1000, stdout);
});
