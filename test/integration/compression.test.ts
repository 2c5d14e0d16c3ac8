import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CodedBody } from '../../src/pipeline/coded-body.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { eventually } from '../support/guard.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { runProgram } from '../support/run-program.ts';

/** Decoders that people use, against a gateway that compresses, with a real nginx behind it. */

const SIZES = [1024, 2000, 16_384, 16_385, 65_536, 300_000, 5_000_000];
const CODINGS = ['gzip', 'br', 'zstd'];

function textOf(bytes: number): string {
  let text = '';
  for (let at = 0; text.length < bytes; at++) text += `${at} ${Math.imul(at, 0x9e3779b1) >>> 0} some words of a text\n`;
  return text.slice(0, bytes);
}

let nginx: Nginx;
let gateway: Gateway;
let base: string;

before(async () => {
  nginx = await startNginx('location / { }');
  for (const bytes of SIZES) await writeFile(join(nginx.root, `${bytes}.html`), textOf(bytes));
  gateway = await startGateway({
    upstreamPorts: [nginx.port],
    middleware: { compress: {} },
    routes: [{ path: '/**', middleware: ['compress'] }],
  });
  base = `http://127.0.0.1:${gateway.port}`;
});

after(async () => {
  await eventually(
    'all exchanges to end',
    () => gateway.plane.activeExchanges + CodedBody.open === 0,
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
  const all = ['--silent', '--show-error', '--max-time', '20', ...args];
  const { exitCode, stdout, stderr } = await runProgram('curl', all);
  assert.equal(exitCode, 0, `curl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

for (const coding of CODINGS) {
  for (const version of ['--http1.1', '--http1.0']) {
    test(`curl decodes ${coding}, byte for byte, over ${version.slice(2)}`, async () => {
      for (const bytes of SIZES) {
        const args = ['--compressed', version, '--header', `Accept-Encoding: ${coding}`, `${base}/${bytes}.html`];
        assert.equal(digest(await curl(...args)), digest(textOf(bytes)), `${bytes} bytes`);
      }
    });
  }

  test(`curl sees from the head that it is ${coding}, and asks again with the tag`, async () => {
    const url = `${base}/300000.html`;
    const accept = ['--header', `Accept-Encoding: ${coding}`];
    const head = await curl('--head', ...accept, url);
    assert.match(head, new RegExp(`^Content-Encoding: ${coding}\\r$`, 'im'));
    assert.match(head, /^Vary: Accept-Encoding\r$/im);
    assert.doesNotMatch(head, /^Content-Length|^Accept-Ranges/im);
    const tag = /^ETag: (W\/".*")\r$/im.exec(head)?.[1] ?? '';
    assert.notEqual(tag, '');
    const again = await curl('--include', ...accept, '--header', `If-None-Match: ${tag}`, url);
    assert.match(again, /^HTTP\/1\.1 304 /);
    assert.ok(again.includes(`\r\nETag: ${tag}\r\n`), again);
  });
}

test('curl gets a range of the identity, whatever it would accept', async () => {
  const args = ['--compressed', '--include', '--range', '10-19', `${base}/300000.html`];
  const reply = await curl(...args);
  assert.match(reply, /^HTTP\/1\.1 206 /);
  assert.ok(reply.endsWith(`\r\n\r\n${textOf(300_000).slice(10, 20)}`), reply);
});

test('forty parallel transfers of curl, in all codings and in none, all come out right', async () => {
  const sums = await Promise.all(
    Array.from({ length: 40 }, async (_none, at) => {
      const coding = [...CODINGS, 'identity'][at % 4] as string;
      const bytes = SIZES[at % SIZES.length] as number;
      const text = await curl('--compressed', '--header', `Accept-Encoding: ${coding}`, `${base}/${bytes}.html`);
      return digest(text) === digest(textOf(bytes));
    }),
  );
  assert.deepEqual(new Set(sums), new Set([true]));
});

test('curl that is limited in speed gets five megabytes all the same', async () => {
  const text = await curl('--compressed', '--limit-rate', '1500k', `${base}/5000000.html`);
  assert.equal(digest(text), digest(textOf(5_000_000)));
});

test('fetch decodes what it asks for', async () => {
  for (const bytes of SIZES) {
    const reply = await fetch(`${base}/${bytes}.html`);
    assert.notEqual(reply.headers.get('content-encoding'), null);
    assert.equal(digest(await reply.text()), digest(textOf(bytes)));
  }
});
