import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, test } from 'node:test';
import { costOf, decoyOf, parsePasswordHash } from '../../../src/base/password-hash.ts';
import { isPasswordOf } from '../../../src/middleware/auth/basic/is-password-of.ts';

const LONG = 'we have a short salt string but not a short password';
const BCRYPT = '$2b$06$DCq7YPn5Rq63x1Lad4cll.BBaWUAEuHo86gMlyAVujA05PWJTsZ02';
const ARGON2 = '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc';

/** The salts and passwords of https://www.akkadia.org/drepper/SHA-crypt.txt, hashed by crypt(3); test.c of the argon2 reference. */
const VECTORS: readonly (readonly [password: string, hash: string])[] = [
  ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  ['Hello world!', '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA'],
  [LONG, '$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/'],
  [
    'the minimum number is still observed',
    '$5$rounds=1400$anotherlongsalts$DtVIyFdVy5yBnh2pPRhUjNlkVbT.XPhjdDcvkZ1PYxA',
  ],
  ['', '$5$s$u9jS/E6rlpZoj8KCMVhpLKJh2MrO5hc9UBdfKCcvVU7'],
  [
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    LONG,
    '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0',
  ],
  [
    'x'.repeat(200),
    '$6$rounds=1001$asalt$uj/SWP9NB08dor5EaH6jYGl.sUGW4hL0GgrdnE5L1oyOe6RtsP.Nqav9MiMuLE71N1IgwJbo9pqQZSJl0uX1X1',
  ],
  ['päss', BCRYPT],
  ['päss', BCRYPT.replace('$2b$', '$2y$')],
  ['password', ARGON2],
  ['password', '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8'],
  ['password', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
  ['abc', `{SHA256}${hash('sha256', 'abc', 'base64')}`],
];

for (const [password, text] of VECTORS) {
  test(`the password of ${text.slice(0, 40)} holds, others do not`, () => {
    const parsed = parsePasswordHash(text);
    assert.ok(isPasswordOf(parsed, password));
    assert.ok(!isPasswordOf(parsed, `${password}x`));
    assert.ok(!isPasswordOf(parsed, password.slice(1) || 'y'));
  });

  test(`a decoy of ${text.slice(0, 40)} costs the same and has no password that is known`, () => {
    const decoy = decoyOf(text);
    assert.equal(costOf(decoy), costOf(text));
    assert.equal(decoy.length, text.length);
    assert.notEqual(decoy, text);
    assert.equal(decoyOf(text), decoy, 'the same in every thread');
    assert.ok(!isPasswordOf(parsePasswordHash(decoy), password));
  });
}

describe('bcrypt', () => {
  const parsed = parsePasswordHash('$2b$04$sIPUb/mWwvl/kU13BlEx5e.cuhd2crjyrwMIDfnlFOUDNCMzZlx1u');

  test('looks at 72 bytes: what is longer is refused, not cut', () => {
    assert.ok(isPasswordOf(parsed, 'a'.repeat(72)));
    assert.ok(!isPasswordOf(parsed, 'a'.repeat(73)));
  });

  test('a NUL ends no password early', () => {
    assert.ok(!isPasswordOf(parsePasswordHash(BCRYPT), 'p\u00e4ss\0'));
    assert.ok(!isPasswordOf(parsePasswordHash(BCRYPT), 'p\u00e4ss\0x'));
  });
});

const SALT = 'DCq7YPn5Rq63x1Lad4cll.BBaWUAEuHo86gMlyAVujA05PWJTsZ02';

for (const { text, error } of [
  { text: `$2b$16$${SALT}`, error: /cost from 4 to 15, not 16/ },
  { text: `$2b$99$${SALT}`, error: /cost from 4 to 15/ },
  { text: `$2b$03$${SALT}`, error: /cost from 4 to 15/ },
  { text: `$2x$06$${SALT}`, error: /not bcrypt of a version with a fault/ },
  { text: `$2b$06$${SALT.slice(1)}`, error: /want|bcrypt/ },
  { text: '$6$rounds=999999999$s$'.padEnd(108, 'x'), error: /at most 1000000 rounds/ },
  { text: '$6$saltstring$svn8', error: /the hash of a password/ },
  { text: ARGON2.replace('m=256', 'm=4194304'), error: /m of at most 262144/ },
  { text: ARGON2.replace('m=256,t=2', 'm=262144,t=64'), error: /m times t/ },
  { text: ARGON2.replace('t=2', 't=999999999'), error: /t of at most 64/ },
  { text: ARGON2.replace('p=2', 'p=255'), error: /p of at most 16/ },
  { text: ARGON2.replace('m=256', 'm=8'), error: /at least 8 times p/ },
  { text: ARGON2.replace('v=19', 'v=16'), error: /v=19/ },
  { text: ARGON2.replace('$v=19', ''), error: /v=19/ },
  { text: ARGON2.replace(/\$[^$]*$/, '$AAAA'), error: /a hash of 16 to 64/ },
  { text: '$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', error: /not MD5 of Apache/ },
  { text: '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', error: /not SHA-1/ },
  { text: 'rqXexS6ZhobKA', error: /not DES/ },
  { text: 'hunter2', error: /the hash of a password: bcrypt/ },
  { text: '{SHA256}abc', error: /the hash of a password/ },
  { text: '', error: /the hash of a password/ },
]) {
  test(`a hash is refused, and not repeated in the message: ${text.slice(0, 40)}`, () => {
    assert.throws(
      () => parsePasswordHash(text),
      (thrown: unknown) => {
        assert.ok(thrown instanceof SyntaxError);
        assert.match(thrown.message, error);
        return text.length < 5 || !thrown.message.includes(text);
      },
    );
  });
}

for (const { cost, why } of [
  { cost: 'm=262145,t=1,p=1', why: 'too much memory' },
  { cost: 'm=256,t=65,p=1', why: 'too many passes' },
  { cost: 'm=262144,t=5,p=1', why: 'too much of both together' },
  { cost: 'm=256,t=1,p=17', why: 'too many lanes' },
]) {
  test(`an argon2 hash that would hold up the thread is refused: ${why}`, () => {
    const hash = ARGON2.replace(/m=\d+,t=\d,p=\d/, cost);
    assert.throws(() => parsePasswordHash(hash), /argon2 with m of at most 262144/);
  });
}
