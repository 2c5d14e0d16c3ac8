import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { BACKENDS, lines, ROUTES, SERVER } from '../documents.ts';
import { server, testRefusals, upstream } from './fault.ts';

testRefusals([
  { why: 'a certificate without key', text: server('tls_cert: a.pem'), place: 'missing-key server.tls_key 2:3' },
  {
    why: 'a listed certificate without key',
    text: server('tls: [ { hosts: [ a.example ], cert: a.pem } ]'),
    place: 'missing-key server.tls[0].key 3:10',
  },
  {
    why: 'a listed certificate for nobody',
    text: server('tls: [ { hosts: [], cert: a.pem, key: a.key } ]'),
    place: 'bad-value server.tls[0].hosts 3:19',
  },
  {
    why: 'a listed certificate for what is no host',
    text: server('tls: [ { hosts: [ "*.*.example" ], cert: a.pem, key: a.key } ]'),
    place: 'bad-value server.tls[0].hosts[0] 3:21',
  },
  {
    why: 'HTTPS without key',
    text: server('https_addr: ":1"', 'tls_cert: a.pem'),
    place: 'missing-key server.tls_key 2:3',
  },
  {
    why: 'a certificate for an upstream without its key',
    text: upstream('tls: true', 'tls_cert: a.pem'),
    place: 'missing-key load_balancing.backends.web.upstreams[0].tls_key 7:11',
  },
  {
    why: 'a name for an upstream with a port',
    text: upstream('tls: true', 'sni_hostname: "a:443"'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].sni_hostname 9:25',
  },
  {
    why: 'a redirect to HTTPS that is nowhere',
    text: server('http_to_https: true'),
    place: 'missing-key server.https_addr 2:3',
  },
  {
    why: 'a redirect to a port that only Unix sockets would have',
    text: server(
      'https_addr: [ "unix:/run/a.sock", "unix:/run/b.sock" ]',
      'tls_cert: a.pem',
      'tls_key: a.key',
      'http_to_https: true',
    ),
    place: 'bad-value server.http_to_https 6:18',
  },
  { why: 'a redirect to no port', text: server('http_to_https: 0'), place: 'bad-value server.http_to_https 3:18' },
]);

test('certificates that no listener uses are named', () => {
  const tls = '  tls: [ { hosts: [ a.example ], cert: a.pem, key: a.key } ]';
  const unused = lines(SERVER, '  tls_cert: c.pem', '  tls_key: c.key', tls, BACKENDS, ROUTES);
  const used = lines(SERVER, '  https_addr: ":8443"', tls, BACKENDS, ROUTES);
  const codesOf = (text: string) =>
    parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {} }).warnings.map(({ code, path }) => `${code} ${path}`);
  assert.deepEqual(codesOf(unused), ['no-effect server.tls_cert', 'no-effect server.tls']);
  assert.deepEqual(codesOf(used), []);
  const upstream = BACKENDS.concat('          tls_verify: false\n          tls_ca: a.pem\n');
  assert.deepEqual(codesOf(lines(SERVER, upstream, ROUTES)), [
    'no-effect load_balancing.backends.web.upstreams[0].tls_verify',
    'no-effect load_balancing.backends.web.upstreams[0].tls_ca',
  ]);
  assert.deepEqual(codesOf(lines(SERVER, '  client_auth: optional', '  https_addr: ":8443"', tls, BACKENDS, ROUTES)), [
    'no-effect server.client_auth',
  ]);
  assert.deepEqual(codesOf(lines(SERVER, '  http_to_https: 443', BACKENDS, ROUTES)), []);
  const mixed = '  https_addr: [ "unix:/run/a.sock", ":8443" ]';
  assert.deepEqual(codesOf(lines(SERVER, '  http_to_https: true', mixed, tls, BACKENDS, ROUTES)), []);
});
