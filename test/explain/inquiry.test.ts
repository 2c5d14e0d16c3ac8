import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInquiry } from '../../src/explain/inquiry.ts';

const words = { method: 'GET', url: '/', headers: [], from: '127.0.0.1' };

const URLS = [
  {
    url: 'http://a.test/b?c',
    scheme: 'http',
    port: 80,
    target: '/b?c',
    fields: ['Host: a.test'],
    why: 'the port of the scheme',
  },
  { url: 'https://a.test', scheme: 'https', port: 443, target: '/', fields: ['Host: a.test'], why: 'no path is /' },
  {
    url: 'HTTP://A.test:8080?q',
    scheme: 'http',
    port: 8080,
    target: '/?q',
    fields: ['Host: A.test:8080'],
    why: 'a query without a path, and letters of any case',
  },
  {
    url: 'http://[::1]:81/',
    scheme: 'http',
    port: 81,
    target: '/',
    fields: ['Host: [::1]:81'],
    why: 'the colons of an IPv6 address are no port',
  },
  { url: '/a', scheme: null, port: null, target: '/a', fields: [], why: 'a path alone goes to any listener' },
  { url: '*', scheme: null, port: null, target: '*', fields: [], why: 'what OPTIONS may ask about' },
  {
    url: '/a//b/../%7Ec/%2f?%zz',
    scheme: null,
    port: null,
    target: '/a//b/../%7Ec/%2f?%zz',
    fields: [],
    why: 'normalising is for the gateway',
  },
  {
    url: 'http://a.test/./b/%41\\',
    scheme: 'http',
    port: 80,
    target: '/./b/%41\\',
    fields: ['Host: a.test'],
    why: 'with an authority too',
  },
  { url: '/a#b', scheme: null, port: null, target: '/a', fields: [], why: 'no client sends a fragment' },
  {
    url: 'http://a.test/b#c',
    scheme: 'http',
    port: 80,
    target: '/b',
    fields: ['Host: a.test'],
    why: 'with an authority too',
  },
];

for (const { url, why, ...wanted } of URLS) {
  test(`${url}: ${why}`, () => {
    assert.deepEqual(parseInquiry({ ...words, url }), { method: 'GET', from: '127.0.0.1', ...wanted });
  });
}

test('a Host that is given stands instead of the one in the URL', () => {
  const { fields, port } = parseInquiry({ ...words, url: 'http://127.0.0.1:8080/', headers: ['A: b', 'host: c.test'] });
  assert.deepEqual(fields, ['A: b', 'host: c.test']);
  assert.equal(port, 8080);
});

const REFUSED = [
  { words: { method: '' }, why: 'no method' },
  { words: { method: 'GET /x' }, why: 'a blank in the method would end it' },
  { words: { url: 'ftp://a.test/' }, why: 'another scheme' },
  { words: { url: 'a.test/b' }, why: 'neither a path nor a scheme' },
  { words: { url: 'http:///b' }, why: 'no host' },
  { words: { url: '/a b' }, why: 'a blank in the URL would end it' },
  { words: { url: '/a\r\nX: y' }, why: 'a line end in the URL' },
  { words: { headers: ['no colon'] }, why: 'a header without a colon' },
  { words: { headers: [': x'] }, why: 'a header without a name' },
  { words: { headers: ['A: b\r\nC: d'] }, why: 'two headers in one' },
  { words: { from: 'localhost' }, why: 'a name for an address' },
];

for (const { words: odd, why } of REFUSED) {
  test(`it is refused: ${why}`, () => {
    assert.throws(
      () => parseInquiry({ ...words, ...odd }),
      (error) => error instanceof SyntaxError && /^Cannot use the \w+: want .*, got "/.test(error.message),
    );
  });
}
