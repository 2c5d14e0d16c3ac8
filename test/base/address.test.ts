import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHostName, isIpRange, parseListenAddress, parseUpstreamAddress } from '../../src/base/address.ts';

const LISTEN: readonly (readonly [string, string, number, string | null])[] = [
  ['0.0.0.0:8080', '0.0.0.0', 8080, null],
  [':8080', '', 8080, null],
  ['[::1]:8080', '::1', 8080, null],
  ['[FE80::1]:1', 'fe80::1', 1, null],
  ['localhost:8080', 'localhost', 8080, null],
  ['Example.COM:80', 'example.com', 80, null],
  ['127.0.0.1:0', '127.0.0.1', 0, null],
  ['unix:/run/photon.sock', '', 0, '/run/photon.sock'],
];

for (const [text, host, port, path] of LISTEN) {
  test(`one can listen at "${text}"`, () => assert.deepEqual(parseListenAddress(text), { host, port, path }));
}

const NEVER = [
  { text: '', why: 'it is empty', wanted: /an address such as/ },
  { text: '8080', why: 'a bare number is no address', wanted: /an address such as/ },
  { text: 'localhost', why: 'the port is missing', wanted: /a port after the host/ },
  { text: '10.0.0.1', why: 'the port is missing', wanted: /a port after the host/ },
  { text: '::1', why: 'IPv6 needs brackets', wanted: /in brackets/ },
  { text: '::1:8080', why: 'IPv6 needs brackets', wanted: /in brackets/ },
  { text: 'http://localhost:80', why: 'it is a URL', wanted: /without a scheme/ },
  { text: 'localhost:80/path', why: 'it has a path', wanted: /an address such as/ },
  { text: 'localhost:', why: 'the port is empty', wanted: /an address such as/ },
  { text: 'localhost:65536', why: 'the port is out of range', wanted: /a port from 0 to 65535/ },
  { text: 'localhost:99999', why: 'the port is out of range', wanted: /a port from 0 to 65535/ },
  { text: 'localhost:-1', why: 'a port has no sign', wanted: /an address such as/ },
  { text: 'localhost:+80', why: 'a port has no sign', wanted: /an address such as/ },
  { text: 'local host:80', why: 'a name has no blanks', wanted: /an address such as/ },
  { text: '256.1.1.1:80', why: 'it looks like IPv4 and is not', wanted: /an address such as/ },
  { text: '010.0.0.1:80', why: 'a leading zero could mean octal', wanted: /an address such as/ },
  { text: '[127.0.0.1]:80', why: 'brackets are for IPv6', wanted: /an IPv6 address/ },
  { text: '[::1]80', why: 'the colon is missing', wanted: /an address such as/ },
  { text: '-a.example:80', why: 'a label does not start with a hyphen', wanted: /an address such as/ },
  { text: 'a..b:80', why: 'a label is empty', wanted: /an address such as/ },
  { text: 'a.b:80\n', why: 'it ends with a line break', wanted: /an address such as/ },
  { text: 'unix:', why: 'the path is empty', wanted: /an absolute path/ },
  { text: 'unix:relative.sock', why: 'the path is relative', wanted: /an absolute path/ },
  { text: `unix:/${'a'.repeat(107)}`, why: 'the path does not fit into a socket address', wanted: /at most 107 bytes/ },
];

for (const { text, why, wanted } of NEVER) {
  test(`"${text.slice(0, 30)}" is no address: ${why}`, () => {
    assert.throws(() => parseListenAddress(text), { name: 'SyntaxError', message: wanted });
    assert.throws(() => parseUpstreamAddress(text), { name: 'SyntaxError' });
  });
}

test('an upstream has a host and a port above 0', () => {
  assert.deepEqual(parseUpstreamAddress('app:80'), { host: 'app', port: 80, path: null });
  assert.deepEqual(parseUpstreamAddress('unix:/run/app.sock'), { host: '', port: 0, path: '/run/app.sock' });
  assert.throws(() => parseUpstreamAddress(':8080'), /a host before the port/);
  assert.throws(() => parseUpstreamAddress('app:0'), /a port from 1 to 65535/);
});

const HOST_NAMES: readonly (readonly [string, boolean])[] = [
  ['localhost', true],
  ['a.example.', true],
  ['my_service', true],
  ['xn--bcher-kva.example', true],
  ['1.example', true],
  ['', false],
  ['.', false],
  ['127.0.0.1', false],
  ['bücher.example', false],
  ['a b', false],
  ['*.example.com', false],
  [`${'a'.repeat(64)}.example`, false],
  [`${'a.'.repeat(127)}a`, false],
];

for (const [text, expected] of HOST_NAMES) {
  test(`"${text.slice(0, 30)}" is ${expected ? 'a' : 'no'} host name`, () => assert.equal(isHostName(text), expected));
}

const RANGES: readonly (readonly [string, boolean])[] = [
  ['10.0.0.0/8', true],
  ['10.0.0.1', true],
  ['::1', true],
  ['fd00::/8', true],
  ['10.0.0.0/33', false],
  ['10.0.0/8', false],
  ['10.0.0.0/', false],
  ['fd00::/129', false],
  ['10.0.0.0/8/8', false],
  ['localhost', false],
];

for (const [text, expected] of RANGES) {
  test(`"${text}" is ${expected ? 'a' : 'no'} range of IP addresses`, () => assert.equal(isIpRange(text), expected));
}
