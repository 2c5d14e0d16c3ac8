import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';

/** Debian's Chromium loads a page and everything in it through the gateway. */

const IMAGES = 40;

const PAGE = `<!doctype html>
<title>through the gateway</title>
<link rel="stylesheet" href="style.css">
<link rel="icon" href="data:,">
<h1>loading</h1>
${Array.from({ length: IMAGES }, (_none, index) => `<img src="image.svg?${index}" alt="">`).join('\n')}
<script type="module" src="script.js"></script>
`;

const SCRIPT = `
import { greeting } from './greeting.js';
const answer = await fetch('/api/echo', { method: 'POST', body: 'x'.repeat(100000) });
const parts = [];
for await (const part of (await fetch('/large.json')).body) parts.push(part.length);
document.querySelector('h1').textContent = greeting + ' ' + await answer.text() + ' ' + parts.reduce((a, b) => a + b, 0);
`;

let nginx: Nginx;
let gateway: Gateway;
let browser: Browser;

before(async () => {
  nginx = await startNginx(`
    location / { gzip on; gzip_proxied any; gzip_types text/css text/javascript application/json; }
    location = /api/echo { proxy_pass http://$server_addr:$server_port/api/measured; }
    location = /api/measured { return 200 '$content_length'; }
  `);
  const files = {
    'index.html': PAGE,
    'style.css': 'h1 { color: rgb(1, 2, 3) }',
    'script.js': SCRIPT,
    'greeting.js': "export const greeting = 'hello';",
    'image.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"></svg>',
    'large.json': JSON.stringify('large '.repeat(100_000)),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(nginx.root, name), text);
  gateway = await startGateway({ upstreamPorts: [nginx.port] });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  gateway?.plane.close();
  await nginx?.close();
});

async function open(path: string): Promise<{ page: Page; failures: string[] }> {
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on('requestfailed', (request) => failures.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('pageerror', (error) => failures.push(String(error)));
  page.on('response', (response) => {
    if (response.status() >= 400) failures.push(`${response.url()}: ${response.status()}`);
  });
  await page.goto(`http://127.0.0.1:${gateway.port}${path}`, { waitUntil: 'load' });
  return { page, failures };
}

test('a page with style, modules, images and requests of its own comes up whole', { timeout: 60_000 }, async () => {
  const { page, failures } = await open('/index.html');
  await page.waitForFunction("document.querySelector('h1').textContent !== 'loading'");
  assert.equal(await page.textContent('h1'), 'hello 100000 600002');
  assert.equal(await page.evaluate("getComputedStyle(document.querySelector('h1')).color"), 'rgb(1, 2, 3)');
  const widths = await page.evaluate('[...document.images].map((image) => image.naturalWidth)');
  assert.deepEqual(
    widths,
    Array.from({ length: IMAGES }, () => 7),
  );
  assert.deepEqual(failures, []);
  await page.reload({ waitUntil: 'load' });
  assert.deepEqual(failures, []);
  await page.close();
});

test('a person who mistypes an address sees a readable page', { timeout: 60_000 }, async () => {
  const narrow = await startGateway({ upstreamPorts: [nginx.port], routes: [{ path: '/index.html' }] });
  const page = await browser.newPage();
  const response = await page.goto(`http://127.0.0.1:${narrow.port}/nowhere`);
  assert.equal(response?.status(), 404);
  assert.match((await page.textContent('body')) ?? '', /\S/);
  await page.close();
  narrow.plane.close();
});
