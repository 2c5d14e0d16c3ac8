import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OriginMatcher } from '../../src/middleware/origin-matcher.ts';

const APP = 'https://app.example.com';
const WILD = 'https://*.example.com';

for (const { list, origin, included, why } of [
  { list: [APP], origin: APP, included: true, why: 'the very origin' },
  { list: [APP], origin: 'http://app.example.com', included: false, why: 'another scheme' },
  { list: [APP], origin: `${APP}:8443`, included: false, why: 'another port' },
  { list: [APP], origin: `${APP}.evil.net`, included: false, why: 'a longer host' },
  { list: [APP], origin: `https://evil.net/${APP}`, included: false, why: 'no origin' },
  { list: [APP], origin: 'null', included: false, why: 'a page without an origin' },
  { list: ['null'], origin: 'null', included: true, why: 'asked for by name' },
  { list: ['*'], origin: 'https://any.example', included: true, why: 'everybody' },
  { list: [WILD], origin: 'https://a.example.com', included: true, why: 'a subdomain' },
  { list: [WILD], origin: 'https://a.b.example.com', included: false, why: 'two labels are not one' },
  { list: [WILD], origin: 'https://example.com', included: false, why: 'no label is not one' },
  { list: [WILD], origin: 'https://a-example.com', included: false, why: 'no dot between' },
  { list: [WILD], origin: 'https://a.exampleXcom', included: false, why: 'a dot is a dot' },
  { list: [WILD], origin: 'https://evil.net/a.example.com', included: false, why: 'a slash is in no label' },
  { list: [WILD], origin: 'https://a.example.com:8443', included: false, why: 'the port counts' },
  { list: [`${WILD}:8443`], origin: 'https://a.example.com:8443', included: true, why: 'the port counts' },
  { list: ['*.example.com'], origin: 'http://a.example.com', included: true, why: 'any scheme' },
  { list: ['*.example.com'], origin: 'https://a.example.com@evil.net', included: false, why: 'the end counts' },
  { list: ['^https://(a|b)\\.example\\.com'], origin: 'https://b.example.com', included: true, why: 'an expression' },
  { list: ['^https://a\\.test'], origin: 'https://a.test.evil.net', included: false, why: 'an end is always there' },
  { list: ['^https://a\\.test|b'], origin: 'https://evil.net/b', included: false, why: 'of every alternative' },
]) {
  test(`${list} ${included ? 'includes' : 'does not include'} ${origin}: ${why}`, () => {
    assert.equal(new OriginMatcher(list).includes(origin), included);
  });
}
