import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalisePath, RequestTarget } from '../../src/http/target.ts';

const BAD_TARGET = { name: 'PhotonError', code: 'bad_target' };

const NORMALISED = [
  { path: '/', normal: '/', why: 'the root' },
  { path: '/api/v1/users', normal: '/api/v1/users', why: 'nothing to do' },
  { path: "/!$&'()*+,;=:@-._~", normal: "/!$&'()*+,;=:@-._~", why: 'all of pchar passes' },
  { path: '/%41%62%7e%2D', normal: '/Ab~-', why: 'unreserved characters are decoded' },
  { path: '/a%2fb%3a', normal: '/a%2Fb%3A', why: 'hex digits in upper case, reserved characters stay encoded' },
  { path: '/caf%c3%a9', normal: '/caf%C3%A9', why: 'encoded bytes above ASCII stay' },
  { path: '/%2541', normal: '/%2541', why: 'decoded once, never twice' },
  { path: '/%252e%252e/a', normal: '/%252e%252e/a', why: 'an encoded percent sign is no dot' },
  { path: '/a b'.replace(' ', '%20'), normal: '/a%20b', why: 'an encoded space stays' },
  { path: '/a{b}|"<>^`', normal: '/a%7Bb%7D%7C%22%3C%3E%5E%60', why: 'outside the URI grammar: encoded' },
  { path: '/a/./b', normal: '/a/b', why: 'a dot segment' },
  { path: '/a/b/.', normal: '/a/b/', why: 'a dot segment at the end leaves its slash' },
  { path: '/a/../b', normal: '/b', why: 'a double dot segment' },
  { path: '/a/b/..', normal: '/a/', why: 'a double dot segment at the end leaves its slash' },
  { path: '/a/..', normal: '/', why: 'back to the root' },
  { path: '/.', normal: '/', why: 'the root itself' },
  { path: '/a/%2e%2E/b', normal: '/b', why: 'encoded dots are dots' },
  { path: '/a/.%2e/b', normal: '/b', why: 'half encoded dots are dots' },
  { path: '/.well-known/x', normal: '/.well-known/x', why: 'a leading dot is no dot segment' },
  { path: '/a/...', normal: '/a/...', why: 'three dots are a name' },
  { path: '/a/..b', normal: '/a/..b', why: 'a name that starts with two dots' },
  { path: '/a/b..', normal: '/a/b..', why: 'a name that ends with two dots' },
  { path: '/a%2F.b', normal: '/a%2F.b', why: 'a hidden file behind an encoded slash' },
  { path: '//', normal: '/', why: 'slashes are merged' },
  { path: '//a///b//', normal: '/a/b/', why: 'slashes are merged everywhere' },
  { path: '/a//../b', normal: '/b', why: 'merged first: the climb removes a name' },
  { path: '/%2e/%2e%2e/'.slice(0, 5), normal: '/', why: 'an encoded dot segment at the end' },
];

const NOT_MERGED = [
  { path: '//a///b//', normal: '//a///b//', why: 'left alone' },
  { path: '/a//../b', normal: '/a/b', why: 'the climb removes the empty segment' },
  { path: '/a//..', normal: '/a/', why: 'the climb at the end leaves its slash' },
  { path: '//..', normal: '/', why: 'an empty segment can be left too' },
  { path: '/.//', normal: '//', why: 'empty segments after a dot segment stay' },
];

const REFUSED = [
  { path: '', why: 'empty' },
  { path: 'a/b', why: 'relative' },
  { path: '*', why: 'no path at all' },
  { path: '/..', why: 'climbs above the root' },
  { path: '/a/../../b', why: 'climbs above the root within' },
  { path: '/%2e%2e/a', why: 'climbs above the root, encoded' },
  { path: '//..', why: 'climbs above the root after merging' },
  { path: '/a/..%2Fb', why: 'a climb for upstreams that decode before they split' },
  { path: '/a/..%2fb', why: 'the same in lower case' },
  { path: '/a/b%2F..', why: 'the same at the end' },
  { path: '/a/b%2F%2e%2e%2Fc', why: 'the same, encoded' },
  { path: '/%2F..', why: 'the same behind nothing' },
  { path: '/a/..;/b', why: 'a climb for servlet containers' },
  { path: '/a/%2e%2e;x=1/b', why: 'the same, encoded, with a parameter' },
  { path: '/a%2F..;/b', why: 'the same behind an encoded slash' },
  { path: '/a%2f..;x=1', why: 'the same at the end' },
  { path: '/a%2F%2e.;x%2Fb', why: 'the same between encoded slashes' },
  { path: '/a%00', why: 'an encoded NUL' },
  { path: '/a%0d%0a', why: 'an encoded line end' },
  { path: '/a%7F', why: 'an encoded DEL' },
  { path: '/a%5Cb', why: 'an encoded backslash' },
  { path: '/a%5c..', why: 'an encoded backslash in lower case' },
  { path: '/a\\b', why: 'a backslash' },
  { path: '/a\0', why: 'a NUL' },
  { path: '/a\tb', why: 'a tab' },
  { path: '/a\x7f', why: 'DEL' },
  { path: '/a b', why: 'a space' },
  { path: '/caf\xe9', why: 'latin1 above ASCII' },
  { path: '/\u4f8b', why: 'a character above latin1' },
  { path: '/a%', why: 'a lone percent sign' },
  { path: '/a%4', why: 'one hex digit' },
  { path: '/a%4g', why: 'no hex digit' },
  { path: '/a%%41', why: 'a percent sign for a hex digit' },
  { path: '/a%+1', why: 'a sign for a hex digit' },
  { path: '/a?b', why: 'a query is not part of the path' },
  { path: '/a#b', why: 'a fragment' },
];

for (const { path, normal, why } of NORMALISED) {
  test(`the path ${path} becomes ${normal}: ${why}`, () => {
    assert.equal(normalisePath(path, true), normal);
  });
}

for (const { path, normal, why } of NOT_MERGED) {
  test(`without merging, the path ${path} becomes ${normal}: ${why}`, () => {
    assert.equal(normalisePath(path, false), normal);
  });
}

for (const { path, why } of REFUSED) {
  test(`the path ${JSON.stringify(path)} is refused: ${why}`, () => {
    assert.throws(() => normalisePath(path, true), BAD_TARGET);
    assert.throws(
      () => new RequestTarget().parse(path === '*' ? 'x' : path.replace('?', '\\?'), 'GET', true),
      BAD_TARGET,
    );
  });
}

test('every percent-encoded byte is decoded, kept or refused by one rule', () => {
  for (let code = 0; code < 256; code += 1) {
    const digits = code.toString(16).padStart(2, '0');
    const character = String.fromCharCode(code);
    const normalise = () => normalisePath(`/x%${digits}`, true);
    if (code < 0x20 || code === 0x7f || character === '\\') assert.throws(normalise, BAD_TARGET, digits);
    else if (/[A-Za-z0-9\-._~]/.test(character)) assert.equal(normalise(), `/x${character}`);
    else assert.equal(normalise(), `/x%${digits.toUpperCase()}`);
  }
});

const PATH_PIECES = [
  '/',
  '//',
  '.',
  '..',
  'a',
  'B',
  '%2e',
  '%2E',
  '%2F',
  '%2f',
  '%41',
  '%c3',
  ';',
  '|',
  '~',
  '%25',
  '%',
];
const oddPath = fc.array(fc.constantFrom(...PATH_PIECES), { maxLength: 10 }).map((pieces) => `/${pieces.join('')}`);

function normalOrNull(path: string, mergeSlashes: boolean): string | null {
  try {
    return normalisePath(path, mergeSlashes);
  } catch {
    return null;
  }
}

test('normalising is idempotent, and its result has no dot segment, no slash to merge and no needless encoding', () => {
  fc.assert(
    fc.property(oddPath, fc.boolean(), (path, mergeSlashes) => {
      const normal = normalOrNull(path, mergeSlashes);
      if (normal === null) return;
      assert.equal(normalisePath(normal, mergeSlashes), normal);
      assert.doesNotMatch(normal, /\/\.{1,2}(\/|$)/);
      assert.doesNotMatch(normal, /%(2E|2D|41|[0-9A-F]?[a-f])/);
      if (mergeSlashes) assert.doesNotMatch(normal, /\/\//);
    }),
    { numRuns: 20_000 },
  );
});

test('dot segments end where the URL standard ends them', () => {
  fc.assert(
    fc.property(oddPath, (path) => {
      const normal = normalOrNull(path, false);
      if (normal === null || path.includes('%25')) return;
      const standard = new URL(`http://a${path}`).pathname;
      assert.equal(normal, normalisePath(standard, false));
    }),
    { numRuns: 20_000 },
  );
});

test('the request target is normalised like the path alone, wherever it stands', () => {
  const target = new RequestTarget();
  fc.assert(
    fc.property(oddPath, fc.boolean(), (path, mergeSlashes) => {
      const normal = normalOrNull(path, mergeSlashes);
      for (const [before, after] of [
        ['', ''],
        ['', '?q'],
        ['http://a', ''],
        ['http://a', '?'],
      ]) {
        const parse = () => target.parse(`${before}${path}${after}`, 'GET', mergeSlashes);
        if (normal === null) assert.throws(parse, BAD_TARGET);
        else parse();
        if (normal !== null) assert.equal(target.path, normal);
      }
    }),
    { numRuns: 5000 },
  );
});

test('a path in normal form comes back as the same string, without a copy', () => {
  const target = new RequestTarget();
  target.parse('/api/v1/users/42', 'GET', true);
  assert.deepEqual(
    { ...target },
    { form: 'origin', path: '/api/v1/users/42', query: '', hasQuery: false, isNormal: true, authority: null },
  );
});

const origin = { form: 'origin', path: '/a', query: '', hasQuery: false, isNormal: true, authority: null };
const other = { ...origin, isNormal: false };

const TARGETS = [
  { target: '/a', method: 'GET', want: origin, why: 'origin-form' },
  { target: '/a?', method: 'GET', want: { ...origin, hasQuery: true }, why: 'an empty query is a query' },
  { target: '/a?b=c&d', method: 'GET', want: { ...origin, query: 'b=c&d', hasQuery: true }, why: 'a query' },
  {
    target: '/./a?x',
    method: 'GET',
    want: { ...other, query: 'x', hasQuery: true },
    why: 'a path to normalise and a query',
  },
  {
    target: '/a?/../?%zz',
    method: 'GET',
    want: { ...origin, query: '/../?%zz', hasQuery: true },
    why: 'a query is passed verbatim',
  },
  {
    target: '/a?"<>\\^`{|}',
    method: 'GET',
    want: { ...origin, query: '"<>\\^`{|}', hasQuery: true },
    why: 'visible bytes that browsers send in a query',
  },
  { target: '/a', method: 'OPTIONS', want: origin, why: 'OPTIONS of a path' },
  { target: '*', method: 'OPTIONS', want: { ...other, form: 'asterisk', path: '*' }, why: 'asterisk-form' },
  {
    target: 'http://b:81/a',
    method: 'GET',
    want: { ...other, form: 'absolute', authority: 'b:81' },
    why: 'absolute-form',
  },
  {
    target: 'HTTPS://B/a',
    method: 'GET',
    want: { ...other, form: 'absolute', authority: 'B' },
    why: 'the scheme is case-insensitive',
  },
  {
    target: 'http://b',
    method: 'GET',
    want: { ...other, form: 'absolute', path: '/', authority: 'b' },
    why: 'no path is the root',
  },
  {
    target: 'http://b?x/y',
    method: 'GET',
    want: { ...other, form: 'absolute', path: '/', query: 'x/y', hasQuery: true, authority: 'b' },
    why: 'a query right after the authority',
  },
  {
    target: 'http://b/a?',
    method: 'GET',
    want: { ...other, form: 'absolute', hasQuery: true, authority: 'b' },
    why: 'an empty query in absolute-form',
  },
  {
    target: 'http:///a',
    method: 'GET',
    want: { ...other, form: 'absolute', authority: '' },
    why: 'the empty authority is refused where authorities are read',
  },
  {
    target: 'http://b',
    method: 'OPTIONS',
    want: { ...other, form: 'asterisk', path: '*', authority: 'b' },
    why: 'RFC 9112 3.2.4',
  },
  {
    target: 'http://b/',
    method: 'OPTIONS',
    want: { ...other, form: 'absolute', path: '/', authority: 'b' },
    why: 'a slash is a path',
  },
  {
    target: 'b:443',
    method: 'CONNECT',
    want: { ...other, form: 'authority', path: '', authority: 'b:443' },
    why: 'authority-form',
  },
];

for (const { target, method, want, why } of TARGETS) {
  test(`${method} ${target} is read: ${why}`, () => {
    const parsed = new RequestTarget();
    parsed.parse('http://leftover.example/left/over?left=over', 'GET', true);
    parsed.parse(target, method, true);
    assert.deepEqual({ ...parsed }, want);
  });
}

const REFUSED_TARGETS = [
  { target: '', method: 'GET', why: 'empty' },
  { target: '*', method: 'GET', why: 'asterisk-form is for OPTIONS' },
  { target: '*x', method: 'OPTIONS', why: 'no form at all' },
  { target: '**', method: 'OPTIONS', why: 'one asterisk only' },
  { target: 'b:443', method: 'GET', why: 'authority-form is for CONNECT' },
  { target: 'a', method: 'GET', why: 'a relative path' },
  { target: '?a', method: 'GET', why: 'a query alone' },
  { target: 'ftp://b/a', method: 'GET', why: 'another scheme' },
  { target: 'http:/a', method: 'GET', why: 'no authority' },
  { target: 'http//b', method: 'GET', why: 'no scheme' },
  { target: ' /a', method: 'GET', why: 'a space in front' },
  { target: '/a#b', method: 'GET', why: 'a fragment behind the path' },
  { target: '/a?b#c', method: 'GET', why: 'a fragment behind the query' },
  { target: 'http://b#c', method: 'GET', why: 'a fragment behind the authority' },
  { target: 'http://b#c', method: 'OPTIONS', why: 'a fragment behind the authority, with OPTIONS' },
  { target: '/a?b c', method: 'GET', why: 'a space in the query' },
  { target: '/a?b\tc', method: 'GET', why: 'a tab in the query' },
  { target: '/a?b\0', method: 'GET', why: 'a NUL in the query' },
  { target: '/a?\x7f', method: 'GET', why: 'DEL in the query' },
  { target: '/a?caf\xe9', method: 'GET', why: 'a byte above ASCII in the query' },
  { target: '/a', method: 'CONNECT', why: 'CONNECT of a path', code: 'bad_host' },
  { target: 'b', method: 'CONNECT', why: 'CONNECT without a port' },
  { target: 'b:', method: 'CONNECT', why: 'CONNECT with an empty port' },
  { target: 'http://b:1/', method: 'CONNECT', why: 'CONNECT in absolute-form', code: 'bad_host' },
];

for (const { target, method, why, code = 'bad_target' } of REFUSED_TARGETS) {
  test(`${method} ${JSON.stringify(target)} is refused: ${why}`, () => {
    assert.throws(() => new RequestTarget().parse(target, method, true), { name: 'PhotonError', code });
  });
}
