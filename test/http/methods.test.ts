import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { test } from 'node:test';
import { COMMON_METHODS, isIdempotent, methodOf } from '../../src/http/methods.ts';

test('a method is what stands before the blank, whatever follows', () => {
  const others = ['GE', 'GETS', 'get', 'PUTT', 'POS', 'HEADS', 'PATCHES', 'DELETEX', 'OPTIONSX', 'OPTION', 'X'];
  for (const method of [...METHODS, ...others]) {
    for (const rest of [' / HTTP/1.1', 'GET / HTTP/1.1', '']) {
      assert.equal(methodOf(`${method}${rest}`, method.length), method);
    }
  }
});

test('methods are idempotent as RFC 9110 9.2.2 says, and in upper case only', () => {
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) assert.ok(isIdempotent(method), method);
  for (const method of ['POST', 'PATCH', 'CONNECT', 'get', 'PURGE', '']) assert.ok(!isIdempotent(method), method);
});

test('what is offered in general leaves out what is refused in general', () => {
  assert.deepEqual(
    COMMON_METHODS.split(', ').filter((method) => !METHODS.includes(method)),
    [],
  );
  assert.doesNotMatch(COMMON_METHODS, /CONNECT|TRACE/);
});
