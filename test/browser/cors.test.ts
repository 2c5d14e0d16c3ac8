import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';

/*
 * Debian's Chromium judges: a page of one origin (nginx) asks another one (the gateway).
 *
 *   page at localhost:nginx --fetch--> gateway --> nginx        allowed
 *   page at 127.0.0.1:nginx --fetch--> gateway --> nginx        not allowed
 */

let nginx: Nginx;
let gateway: Gateway;
let browser: Browser;

before(async () => {
  nginx = await startNginx(`
    location = /api/data { add_header X-Total 7; add_header X-Hidden 8; return 200 'data $http_x_token'; }
    location = /api/broken { return 500 'broken'; }
  `);
  await writeFile(join(nginx.root, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><title>page</title>');
  gateway = await startGateway({
    upstreamPorts: [nginx.port],
    middleware: {
      cors: {
        allowed_origins: [`http://localhost:${nginx.port}`],
        allowed_methods: ['GET', 'PUT'],
        allowed_headers: ['X-Token'],
        exposed_headers: ['X-Total'],
        allow_credentials: true,
      },
    },
    routes: [
      { path: '/api/gone', backend: 'dead', middleware: ['cors'] },
      { path: '/**', middleware: ['cors'] },
    ],
    otherBackends: { dead: 1 },
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  gateway?.plane.close();
  await nginx?.close();
});

async function pageAt(host: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://${host}:${nginx.port}/index.html`);
  return page;
}

/** What a script of the page sees of a request, or that it must not see anything. */
async function seen(page: Page, path: string, options: object = {}): Promise<unknown> {
  const url = `http://127.0.0.1:${gateway.port}${path}`;
  return page.evaluate(`fetch(${JSON.stringify(url)}, ${JSON.stringify(options)}).then(
    async (reply) => ({
      status: reply.status,
      text: await reply.text(),
      total: reply.headers.get('x-total'),
      hidden: reply.headers.get('x-hidden'),
    }),
    () => 'refused',
  )`);
}

describe('a page of an origin that is allowed', { timeout: 60_000 }, () => {
  test('reads replies, and those of their headers that are exposed', async () => {
    const reply = await seen(await pageAt('localhost'), '/api/data');
    assert.deepEqual(reply, { status: 200, text: 'data ', total: '7', hidden: null });
  });

  test('sends what takes a preflight', async () => {
    const options = { method: 'PUT', headers: { 'X-Token': 'mine' } };
    const reply = await seen(await pageAt('localhost'), '/api/data', options);
    assert.deepEqual(reply, { status: 200, text: 'data mine', total: '7', hidden: null });
  });

  test('may not send headers and methods that are not listed', async () => {
    const page = await pageAt('localhost');
    assert.equal(await seen(page, '/api/data', { headers: { 'X-Other': '1' } }), 'refused');
    assert.equal(await seen(page, '/api/data', { method: 'DELETE' }), 'refused');
  });

  test('may send credentials', async () => {
    const reply = await seen(await pageAt('localhost'), '/api/data', { credentials: 'include' });
    assert.deepEqual(reply, { status: 200, text: 'data ', total: '7', hidden: null });
  });

  test('reads errors, of the upstream and of the gateway', async () => {
    const page = await pageAt('localhost');
    const broken = { status: 500, text: 'broken', total: null, hidden: null };
    assert.deepEqual(await seen(page, '/api/broken'), broken);
    const gone = (await seen(page, '/api/gone')) as { status: number; text: string };
    assert.equal(gone.status, 502);
    assert.match(gone.text, /upstream_connect_failed/);
  });
});

test('a page of another origin sees nothing', { timeout: 60_000 }, async () => {
  const page = await pageAt('127.0.0.1');
  assert.equal(await seen(page, '/api/data'), 'refused');
  assert.equal(await seen(page, '/api/data', { method: 'PUT' }), 'refused');
  assert.equal(await seen(page, '/api/gone'), 'refused');
});
