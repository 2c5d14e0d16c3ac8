import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathOf, queryOf } from '../../src/telemetry/redact.ts';

const PATHS = [
  { target: '/a/b', path: '/a/b', why: 'a path is shown as it came' },
  { target: '/a?b=c', path: '/a', why: 'without its query' },
  { target: '/a#token', path: '/a', why: 'a fragment has no business here' },
  { target: '/a@b', path: '/a@b', why: 'an @ in a path is no password' },
  { target: 'https://h/a?b', path: 'https://h/a', why: 'a URL' },
  { target: 'https://me:secret@h/a@b', path: 'https://h/a@b', why: 'user and password are never shown' },
  { target: 'HTTP://me:sec@ret@h/', path: 'HTTP://h/', why: 'up to the last @ of the authority' },
  { target: '//me:secret@h/a', path: '//h/a', why: 'an authority without a scheme' },
  { target: 'me:secret@h:443', path: 'h:443', why: 'the form of CONNECT' },
  { target: 'http:\\\\me:secret@h', path: 'h', why: 'something that is no URL to us, but to others' },
] as const;

for (const { target, path, why } of PATHS) {
  test(`of ${target} the path is ${path}: ${why}`, () => assert.equal(pathOf(target), path));
}

const QUERIES = [
  { query: '?page=2&lang=de', masked: '?page=2&lang=de', why: 'nothing secret' },
  { query: '?api_key=s', masked: '?api_key=***', why: 'a key' },
  { query: '?X-Amz-Signature=s&X-Amz-Credential=s', masked: '?X-Amz-Signature=***&X-Amz-Credential=***', why: 'S3' },
  { query: '?a=1;access_token=s', masked: '?a=1;access_token=***', why: 'a semicolon separates too' },
  { query: '?PassWord=s=s', masked: '?PassWord=***', why: 'in any case, up to the next parameter' },
  { query: '?acc%65ss_tok%65n=s', masked: '?acc%65ss_tok%65n=***', why: 'a name that is encoded' },
  { query: '?%zz=s', masked: '?%zz=***', why: 'a name that nobody can decode' },
  { query: '?eyJhbGciOiJIUzI1NiJ9', masked: '?***', why: 'a value without a name' },
  { query: '?user[password]=s', masked: '?user[password]=***', why: 'a name in brackets' },
  { query: '?code=s&state=s', masked: '?code=***&state=***', why: 'OAuth' },
  { query: '?q=a#access_token=s', masked: '?q=a', why: 'a fragment' },
  { query: '?', masked: '?', why: 'an empty one' },
] as const;

for (const { query, masked, why } of QUERIES) {
  test(`${query} is masked as ${masked}: ${why}`, () => assert.equal(queryOf(`/a${query}`, 'masked'), masked));
}

test('a query is shown only where that is asked for', () => {
  assert.equal(queryOf('/a?token=s', 'none'), '');
  assert.equal(queryOf('/a?token=s', 'full'), '?token=s');
  assert.equal(queryOf('/a', 'full'), '');
});
