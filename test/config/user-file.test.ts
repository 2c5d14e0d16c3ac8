import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { parseConfig } from '../../src/config/parse-config.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-users-'));
after(() => rmSync(directory, { recursive: true }));

const BCRYPT = '$2b$06$DCq7YPn5Rq63x1Lad4cll.BBaWUAEuHo86gMlyAVujA05PWJTsZ02';

function load(text: string | null, basic: object = {}) {
  const name = text === null ? 'nowhere' : 'users';
  if (text !== null) writeFileSync(join(directory, name), text);
  const document = {
    server: { http_addr: ':8080' },
    load_balancing: { backends: { origin: { upstreams: [{ address: '127.0.0.1:3000' }] } } },
    middleware: { authentication: { auth_type: 'basic', basic: { htpasswd: name, ...basic } } },
    routes: [{ path: '/**', middleware: ['auth'] }],
  };
  return parseConfig(JSON.stringify(document), { file: join(directory, 'photon.yaml'), format: 'yaml', env: {} });
}

test('a file of users is read, relative to the configuration, and watched with it', () => {
  const { config, files } = load(`\ufeff# staff\r\n\r\nalice:${BCRYPT}\r\nbøb:${BCRYPT}`);
  assert.deepEqual(config.userFiles[0]?.users, [
    ['alice', BCRYPT],
    ['bøb', BCRYPT],
  ]);
  assert.ok(files.includes(join(directory, 'users')));
});

for (const { text, basic, error, place, why } of [
  { text: null, error: /file-not-found/, place: /photon.yaml:1:/, why: 'no such file' },
  { text: 'x'.repeat(1024 * 1024 + 1), error: /file-too-large/, place: /photon.yaml:1:/, why: 'a huge one' },
  { text: '# a\nalice:hunter2', error: /unusable-user/, place: /users:2:7/, why: 'a plain password' },
  { text: 'hunter2-hunter2', error: /unusable-user/, place: /users:1:1/, why: 'no colon' },
  { text: 'a:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', error: /not MD5 of Apache/, place: /users:1:3/, why: 'apr1' },
  { text: `:${BCRYPT}`, error: /want a user name/, place: /users:1:1/, why: 'no name' },
  { text: `a:${BCRYPT} `, error: /unusable-user/, place: /users:1:3/, why: 'a blank at the end' },
  { text: `a:${BCRYPT}\nb:${BCRYPT}\na:${BCRYPT}`, error: /duplicate-user/, place: /users:3:1/, why: 'twice' },
  {
    text: `a:${BCRYPT}`,
    basic: { users: { a: BCRYPT } },
    error: /duplicate-user/,
    place: /photon.yaml:1:/,
    why: 'also in the configuration',
  },
]) {
  test(`a file of users is refused, and nothing of a password is shown: ${why}`, () => {
    assert.throws(
      () => load(text, basic),
      (thrown: unknown) => {
        assert.ok(thrown instanceof ConfigError);
        assert.match(thrown.message, error);
        assert.match(thrown.message, place);
        return !/hunter2|BBaWU|HqJZ/.test(thrown.message);
      },
    );
  });
}
