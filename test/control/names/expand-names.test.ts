import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { expandNames } from '../../../src/control/names/expand-names.ts';
import { type NameAddresses, toNameAddresses } from '../../../src/control/names/name-addresses.ts';
import type { ServiceTarget } from '../../../src/control/names/service-targets.ts';

function backendsOf(...upstreams: readonly object[]) {
  const document = {
    server: { http_addr: ':8080' },
    load_balancing: { backends: { web: { upstreams } } },
    routes: [{ path: '/**' }],
  };
  return parseConfig(JSON.stringify(document), { file: 'a.json', format: 'json', env: {} }).config.backends;
}

const names = (hosts: Readonly<Record<string, readonly string[]>>, targets: readonly ServiceTarget[] = []) => ({
  addressesOf: (host: string): NameAddresses | null => (host in hosts ? toNameAddresses(hosts[host] ?? []) : null),
  targetsOf: () => targets,
});

/** What the one backend becomes, each upstream in short. */
function expanded(upstreams: readonly object[], known: ReturnType<typeof names>) {
  const { backends, origins } = expandNames(backendsOf(...upstreams), known);
  return (backends[0]?.upstreams ?? []).map(({ key, host, alternative, port, weight }, index) => {
    const beside = alternative === null ? '' : ` or ${alternative}`;
    return `${origins[index]}: ${key} -> ${host}${beside} ${port} x${weight}`;
  });
}

test('addresses and unix sockets stay as they are', () => {
  const upstreams = [{ address: '10.0.0.1:80' }, { address: '[FD00:0::1]:81' }, { address: 'unix:/run/app.sock' }];
  const { backends, origins } = expandNames(backendsOf(...upstreams), names({}));
  assert.deepEqual(backends, backendsOf(...upstreams));
  assert.deepEqual(origins, [0, 1, 2]);
});

test('a name becomes one upstream for each address of a family, and knows the other family beside', () => {
  const known = names({
    a: ['10.0.0.2', '10.0.0.1', 'fd00::1'],
    b: ['fd00::2'],
    c: ['10.0.0.3', 'fd00::3', 'fd00::4'],
  });
  assert.deepEqual(expanded([{ address: 'a:80', weight: 2 }, { address: 'b:81' }, { address: 'c:82' }], known), [
    '0: a:80 (10.0.0.1) -> 10.0.0.1 or fd00::1 80 x2',
    '0: a:80 (10.0.0.2) -> 10.0.0.2 80 x2',
    '1: b:81 (fd00::2) -> fd00::2 81 x1',
    '2: c:82 (10.0.0.3) -> 10.0.0.3 or fd00::3 82 x1',
    '2: c:82 (fd00::4) -> fd00::4 82 x1',
  ]);
});

test('a name that does not resolve becomes no upstream', () => {
  assert.deepEqual(expanded([{ address: 'a:80' }, { address: '10.0.0.1:80' }], names({})), [
    '1: 10.0.0.1:80 -> 10.0.0.1 80 x1',
  ]);
});

test('two names with one address are two upstreams, each with its own settings', () => {
  const known = names({ a: ['10.0.0.1'], b: ['10.0.0.1'] });
  const { backends } = expandNames(backendsOf({ address: 'a:80', tls: true }, { address: 'b:80', tls: true }), known);
  assert.deepEqual(
    backends[0]?.upstreams.map(({ key, sniHostname, authority }) => [key, sniHostname, authority]),
    [
      ['a:80 (10.0.0.1)', 'a', 'a:80'],
      ['b:80 (10.0.0.1)', 'b', 'b:80'],
    ],
  );
});

const target = (host: string, port: number, weight: number, priority = 1) => ({ host, port, weight, priority });
const SERVICE = [{ address: 'srv:_http._tcp.app.test', weight: 10 }];

test('a service becomes its targets, with their ports and the weights of both', () => {
  const known = names({ 'x.': ['10.0.0.1', '10.0.0.2'], 'y.': ['fd00::1'] }, [
    target('x.', 81, 2),
    target('y.', 82, 3),
  ]);
  assert.deepEqual(expanded(SERVICE, known), [
    '0: srv:_http._tcp.app.test (10.0.0.1:81) -> 10.0.0.1 81 x20',
    '0: srv:_http._tcp.app.test (10.0.0.2:81) -> 10.0.0.2 81 x20',
    '0: srv:_http._tcp.app.test ([fd00::1]:82) -> fd00::1 82 x30',
  ]);
});

test('targets of a higher priority value are used where none of the lowest has an address', () => {
  const targets = [target('x.', 81, 1), target('y.', 82, 1, 2), target('z.', 83, 1, 3)];
  const all = names({ 'x.': ['10.0.0.1'], 'y.': ['10.0.0.2'], 'z.': ['10.0.0.3'] }, targets);
  assert.deepEqual(expanded(SERVICE, all), ['0: srv:_http._tcp.app.test (10.0.0.1:81) -> 10.0.0.1 81 x10']);
  const some = names({ 'y.': ['10.0.0.2'], 'z.': ['10.0.0.3'] }, targets);
  assert.deepEqual(expanded(SERVICE, some), ['0: srv:_http._tcp.app.test (10.0.0.2:82) -> 10.0.0.2 82 x10']);
});

test('two targets that are one server are one upstream with the weight of both', () => {
  const known = names({ 'x.': ['10.0.0.1'], 'y.': ['10.0.0.1'] }, [target('x.', 81, 1), target('y.', 81, 2)]);
  assert.deepEqual(expanded(SERVICE, known), ['0: srv:_http._tcp.app.test (10.0.0.1:81) -> 10.0.0.1 81 x30']);
});

test('a service is trusted and spoken to by the domain that offers it, not by what DNS calls its servers', () => {
  const [backend] = backendsOf({ address: 'srv:_HTTPS._tcp.App.test.', tls: true });
  assert.equal(backend?.upstreams[0]?.sniHostname, 'app.test');
  assert.equal(backend?.upstreams[0]?.authority, 'app.test');
});
