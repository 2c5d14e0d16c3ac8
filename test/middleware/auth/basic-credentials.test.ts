import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBasic, parseCredentials } from '../../../src/middleware/auth/basic/credentials.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text, 'utf8').toString('base64')}`;

for (const { value, user, password, why } of [
  { value: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', user: 'Aladdin', password: 'open sesame', why: 'RFC 7617 2' },
  { value: 'Basic dGVzdDoxMjPCow==', user: 'test', password: '123£', why: 'RFC 7617 2.1' },
  { value: 'bAsIc    dGVzdDoxMjPCow==', user: 'test', password: '123£', why: 'RFC 9110 11.1: the scheme in any case' },
  { value: basic('a:b:c:'), user: 'a', password: 'b:c:', why: 'RFC 7617 2: the first colon parts' },
  { value: basic(':'), user: '', password: '', why: 'both may be empty' },
  {
    value: basic(`${'u'.repeat(255)}:${'p'.repeat(256)}`),
    user: 'u'.repeat(255),
    password: 'p'.repeat(256),
    why: 'long',
  },
]) {
  test(`credentials are read: ${why}`, () => {
    assert.ok(isBasic(value));
    assert.deepEqual(parseCredentials(value), { user, password });
  });
}

for (const { value, why } of [
  { value: 'Basic', why: 'nothing there' },
  { value: 'Basic ', why: 'nothing after the blank' },
  { value: basic('alice'), why: 'RFC 7617 2: no colon' },
  { value: 'Basic QTpi\tQTpi', why: 'RFC 4648 3.3: a character of no alphabet' },
  { value: 'Basic QTpi ', why: 'RFC 4648 3.3: a blank' },
  { value: 'Basic YTpi=', why: 'RFC 4648 3.2: padding too much' },
  { value: 'Basic YTo', why: 'RFC 4648 3.2: padding left out' },
  { value: 'Basic YTp=', why: 'RFC 4648 3.5: bits left over' },
  { value: 'Basic YTo_Pz8-', why: 'RFC 4648 5: the other alphabet' },
  { value: 'Basic YTpi, Basic YTpi', why: 'RFC 9110 11.6.2: two fields' },
  { value: 'Basic YTpi, ', why: 'RFC 9110 11.6.2: two fields, one empty' },
  { value: basic('a:\0'), why: 'RFC 7617 2: NUL' },
  { value: basic('a\n:b'), why: 'RFC 7617 2: a line break in the name' },
  { value: basic('a:b\x7f'), why: 'RFC 7617 2: DEL' },
  { value: `Basic ${Buffer.from('a:\xe4', 'latin1').toString('base64')}`, why: 'RFC 7617 2.1: not UTF-8' },
  { value: `Basic ${Buffer.from([0x61, 0x3a, 0xc0, 0x80]).toString('base64')}`, why: 'an overlong NUL' },
  { value: basic(`a:${'p'.repeat(257)}`), why: 'a password that makes hashes dear' },
  { value: basic(`${'u'.repeat(256)}:p`), why: 'a name that no user has' },
  { value: `Basic ${'A'.repeat(100_000)}`, why: 'huge' },
]) {
  test(`credentials are refused: ${why}`, () => {
    assert.ok(isBasic(value));
    assert.equal(parseCredentials(value), null);
  });
}

for (const value of ['', 'Bearer YTpi', 'Basicx YTpi', 'Basi', 'Basic\tYTpi', ' Basic YTpi']) {
  test(`${JSON.stringify(value)} is not of this scheme`, () => assert.ok(!isBasic(value)));
}
