import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { jwkOf, keyPair, pemOf, signedToken } from '../support/tokens.ts';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

/** An issuer of tokens whose keys can be asked for. */
class Issuer {
  readonly url: string;
  fetches = 0;
  keys: readonly object[] = [];

  private constructor(url: string) {
    this.url = url;
  }

  static async start(t: TestContext): Promise<Issuer> {
    const server = createServer((_request, response) => {
      issuer.fetches++;
      response.end(JSON.stringify({ keys: issuer.keys }));
    }).listen(0, '127.0.0.1');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const issuer = new Issuer(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`);
    return issuer;
  }
}

async function startPhoton(t: TestContext, jwt: object, workers: number): Promise<PhotonProcess> {
  const upstream = await Upstream.start(t);
  const file = join(temporaryDirectory(t), 'config.yaml');
  const config = {
    server: { http_addr: '127.0.0.1:0', workers },
    load_balancing: { backends: { origin: { upstreams: [{ address: `127.0.0.1:${upstream.port}` }] } } },
    middleware: { authentication: { auth_type: 'jwt', jwt } },
    routes: [{ path: '/**', middleware: ['auth'] }],
    access_log: { enabled: false },
  };
  writeFileSync(file, JSON.stringify(config));
  const photon = new PhotonProcess(t, ['--config', file]);
  await photon.event('ready');
  return photon;
}

const pair = keyPair('ES256');
const stranger = keyPair('ES256');
const as = (key: typeof pair, kid: string) => ({
  Authorization: `Bearer ${signedToken('ES256', key.privateKey, { kid })}`,
});

test('the keys of an issuer reach every worker, with one fetch for all of them', async (t) => {
  const issuer = await Issuer.start(t);
  issuer.keys = [jwkOf(pair.publicKey, { kid: 'a' })];
  const startedMs = performance.now();
  const photon = await startPhoton(t, { jwks_url: issuer.url, algorithm: 'ES256' }, 4);
  await photon.event('key-set-fetched');
  const port = await photon.port();
  const statuses = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const known = n % 2 === 0;
      const headers = known ? as(pair, 'a') : as(stranger, `invented ${n}`);
      return [known, (await get({ port }, '/x', headers)).status] as const;
    }),
  );
  for (const [known, status] of statuses) assert.equal(status, known ? 200 : 401);
  const moreFetches = Math.floor((performance.now() - startedMs) / 10_000);
  assert.ok(issuer.fetches <= 1 + moreFetches, 'keys that are not known cause a fetch in ten seconds at most');
});

test('a public key in a file lets in whoever its owner signed for', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'issuer.pem');
  writeFileSync(file, pemOf(pair.publicKey));
  const photon = await startPhoton(t, { public_key: file, algorithm: 'ES256' }, 1);
  const port = await photon.port();
  assert.equal((await get({ port }, '/x', as(pair, 'any'))).status, 200);
  assert.equal((await get({ port }, '/x', as(stranger, 'any'))).status, 401);
  writeFileSync(file, pemOf(stranger.publicKey));
  await photon.event('reloaded');
  assert.equal((await get({ port }, '/x', as(pair, 'any'))).status, 401);
  assert.equal((await get({ port }, '/x', as(stranger, 'any'))).status, 200);
});
