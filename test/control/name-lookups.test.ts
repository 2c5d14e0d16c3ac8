import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUnresolvedNames } from '../../src/control/name-lookups.ts';
import { DnsServer } from '../support/dns-server.ts';

test('names that the system does not resolve are told, and the others are not', async () => {
  const names = new Set(['localhost', 'no-such-name.invalid', 'nor-this.invalid']);
  assert.deepEqual([...(await findUnresolvedNames(names))].sort(), ['no-such-name.invalid', 'nor-this.invalid']);
});

test('services are asked for as such, and servers of our own instead of the system', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('app.test', { A: ['10.0.0.1'] });
  dns.set('_http._tcp.app.test', { SRV: [{ priority: 0, weight: 0, port: 80, target: 'app.test' }] });
  const names = new Set(['app.test', 'srv:_http._tcp.app.test', 'no.test', 'srv:_http._tcp.no.test']);
  assert.deepEqual([...(await findUnresolvedNames(names, [dns.address]))], ['no.test', 'srv:_http._tcp.no.test']);
});

test('without names nothing is started', async () => {
  const nowhere = new URL('./fixtures/no-such-program.ts', import.meta.url);
  assert.deepEqual([...(await findUnresolvedNames(new Set(), null, nowhere))], []);
});

test('a resolver that does not answer in time is not waited for, and what it owes counts as unresolved', async () => {
  const silent = new URL('./fixtures/silent-resolver.ts', import.meta.url);
  assert.deepEqual([...(await findUnresolvedNames(new Set(['localhost']), null, silent, 50))], ['localhost']);
});
