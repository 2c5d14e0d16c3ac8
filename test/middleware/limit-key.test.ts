import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyReader } from '../../src/middleware/limit-key.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';

test('a consumer is counted by his name, and names that are not ASCII are told apart', () => {
  const read = keyReader({ kind: 'consumer' });
  // Sound: nothing else of the exchange is read.
  const keyOf = (consumer: string) => read?.({ consumer } as Exchange);
  assert.equal(keyOf('alice'), 'alice');
  assert.equal(keyOf(''), '', 'nobody is known');
  const names = ['\u00e9', '\u00c3\u00a9', '\u20ac', '\u00e2\u0082\u00ac', 'e'];
  const keys = names.map(keyOf);
  assert.equal(new Set(keys).size, names.length);
  for (const key of keys) assert.match(key ?? '', /^[\0-\xff]+$/, 'one character a byte');
});

test('an address is no key that stands in a request', () => {
  assert.equal(keyReader({ kind: 'ip' }), null);
});
