import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { keyPair, pemOf } from '../support/tokens.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-key-'));
after(() => rmSync(directory, { recursive: true }));

const { publicKey, privateKey } = keyPair('RS256');
const pem = pemOf(publicKey);
writeFileSync(join(directory, 'issuer.pem'), pem);
writeFileSync(join(directory, 'private.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
writeFileSync(join(directory, 'text.pem'), 'no key');

function load(jwt: object, routes: readonly object[] = [{ path: '/**', middleware: ['auth'] }]) {
  const document = {
    server: { http_addr: ':8080' },
    load_balancing: { backends: { origin: { upstreams: [{ address: '127.0.0.1:3000' }] } } },
    middleware: { authentication: { auth_type: 'jwt', jwt } },
    routes,
  };
  return parseConfig(JSON.stringify(document), { file: join(directory, 'photon.yaml'), format: 'yaml', env: {} });
}

function refusal(jwt: object): string {
  try {
    load(jwt);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n');
  }
  assert.fail('it was taken');
}

describe('the public key of an issuer', () => {
  test('is read from its file, relative to the configuration, which is watched with it', () => {
    const { config, files } = load({ public_key: 'issuer.pem', algorithm: 'RS256' });
    assert.ok(JSON.stringify(config.routes[0]?.middleware).includes(JSON.stringify(pem).slice(1, -1)));
    assert.ok(files.includes(join(directory, 'issuer.pem')));
  });

  test('may stand in the configuration', () => {
    const { files } = load({ public_key: pem, algorithms: ['RS256', 'PS512'] });
    assert.equal(files.length, 1);
  });

  test('is read once for all routes', () => {
    const routes = Array.from({ length: 100 }, (_, n) => ({ path: `/${n}`, middleware: ['auth'] }));
    const { config } = load({ public_key: 'issuer.pem', algorithm: 'RS256' }, routes);
    const options = config.routes.map(({ middleware }) => middleware[0]?.options);
    assert.equal(new Set(options).size, 1);
  });

  const BAD: readonly { key: string; algorithm: string; error: RegExp }[] = [
    { key: 'nowhere.pem', algorithm: 'RS256', error: /does not exist/ },
    { key: '.', algorithm: 'RS256', error: /is a directory/ },
    { key: 'text.pem', algorithm: 'RS256', error: /want a public key in PEM/ },
    { key: 'private.pem', algorithm: 'RS256', error: /got a private one/ },
    { key: 'issuer.pem', algorithm: 'ES256', error: /want a key for ES256, got one of the kind rsa, 2048 bits/ },
    { key: pemOf(keyPair('ES256').publicKey), algorithm: 'ES384', error: /got one of the kind ec, prime256v1/ },
    { key: pemOf(keyPair('EdDSA').publicKey), algorithm: 'RS256', error: /of the kind ed25519/ },
    { key: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', algorithm: 'RS256', error: /in PEM/ },
  ];
  for (const { key, algorithm, error } of BAD) {
    test(`is refused as ${JSON.stringify(key.slice(0, 40))} for ${algorithm}`, () => {
      const message = refusal({ public_key: key, algorithm });
      assert.match(message, error);
      assert.match(message, /^unusable-public-key /);
      assert.doesNotMatch(message, /BEGIN/);
    });
  }
});

test('claims do not go upstream in fields that the gateway writes itself', () => {
  for (const header of [
    'Host',
    'X-Forwarded-For',
    'x_forwarded_for',
    'Via',
    'X-Request-ID',
    'Content-Length',
    'Content_Length',
    'X-Client-Cert-Subject',
    'Authorization',
  ]) {
    const message = refusal({ secret: 'x'.repeat(40), forward_claims: { sub: header } });
    assert.match(message, /bad-value/, header);
  }
});
