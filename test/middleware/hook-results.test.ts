import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hooksOf } from '../../src/middleware/custom/hook-results.ts';

const hook = () => undefined;

class Hooks {
  readonly cache = new Map();
  onRequest(): undefined {
    return undefined;
  }
}

for (const { made, why } of [
  { made: { onRequest: hook, onResponse: hook, onFinish: hook }, why: 'all of them' },
  { made: {}, why: 'none: the options decide that it has nothing to do' },
  { made: { onRequest: undefined }, why: 'one that is not there' },
  { made: { onRequest: hook, cache: new Map() }, why: 'something of its own beside them' },
  { made: new Hooks(), why: 'an instance of a class' },
]) {
  test(`what create returns are the hooks: ${why}`, () => assert.equal(hooksOf(made), made));
}

for (const { made, error, why } of [
  {
    made: undefined,
    error: 'what create returned: want an object with hooks, got a value of type undefined',
    why: 'nothing',
  },
  { made: null, error: 'what create returned: want an object with hooks, got null', why: 'null' },
  {
    made: hook,
    error: 'what create returned: want an object with hooks, got a value of type function',
    why: 'one hook',
  },
  { made: [hook], error: 'what create returned: want an object with hooks, got an object of Array', why: 'a list' },
  {
    made: Promise.resolve({ onRequest: hook }),
    error: 'what create returned: want an object with hooks, got a promise',
    why: 'hooks that come later: until then everything would pass',
  },
  {
    made: { onRequest: true },
    error: 'onRequest: want a function, got a value of type boolean',
    why: 'a hook that is none',
  },
  {
    made: { onReqest: hook },
    error: 'onReqest: there are the hooks onRequest, onResponse, onFinish',
    why: 'a misspelt name',
  },
]) {
  test(`what create returns and has no hooks is refused: ${why}`, () => {
    assert.throws(() => hooksOf(made), { name: 'TypeError', message: `Cannot use ${error}` });
  });
}
