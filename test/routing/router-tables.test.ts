import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { Router } from '../../src/routing/router.ts';
import { buildRouterTables, type RouterTables } from '../../src/routing/router-tables.ts';
import { makeRequest, makeRule } from './rule.ts';

const RULES = [makeRule('/a/{id}', { host: '*.test' }), makeRule('^/r/\\d+$'), makeRule('/**', { query: { v: '1' } })];

function postThrough(tables: RouterTables): RouterTables {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(tables);
  const received = receiveMessageOnPort(port2)?.message as RouterTables;
  port1.close();
  return received;
}

test('tables that were posted to a thread route as the originals do', () => {
  const router = new Router(postThrough(buildRouterTables(RULES)));
  assert.equal(router.find(makeRequest('/a/1', { host: 'x.test' })), 0);
  assert.equal(router.find(makeRequest('/r/12')), 1);
  assert.equal(router.find(makeRequest('/z', { query: 'v=1' })), 2);
  assert.deepEqual(router.pathParameters(0, '/a/1'), { id: '1' });
});

test('posting tables shares their memory', () => {
  const tables = buildRouterTables(RULES);
  const received = postThrough(tables);
  const viewsOf = ({ words, methodTakes, patterns }: RouterTables) => ({ words, methodTakes, ...patterns });
  for (const [name, value] of Object.entries(viewsOf(tables))) {
    const copy = viewsOf(received)[name as 'words'];
    assert.ok(value.buffer instanceof SharedArrayBuffer, name);
    copy[0] = (copy[0] as number) ^ 1;
    assert.deepEqual(copy, value, name);
  }
});

test('a pattern or host that cannot be read is refused', () => {
  assert.throws(() => buildRouterTables([makeRule('a')]), /want "\/" at the start/);
  assert.throws(() => buildRouterTables([makeRule('/', { host: 'a:80' })]), /port/);
});
