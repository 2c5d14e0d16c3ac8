import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatesFor, parseSearchList } from '../../../src/control/names/search-list.ts';

const FILES = [
  { why: 'an empty file', text: '', list: { domains: [], ndots: 1 } },
  { why: 'a search list', text: 'search a.test b.test', list: { domains: ['a.test', 'b.test'], ndots: 1 } },
  { why: 'the last search list counts', text: 'search a.test\nsearch b.test', list: { domains: ['b.test'], ndots: 1 } },
  { why: 'a domain is a list of one', text: 'domain a.test', list: { domains: ['a.test'], ndots: 1 } },
  { why: 'dots at the end, and case', text: 'search A.test. .', list: { domains: ['a.test'], ndots: 1 } },
  { why: 'options', text: 'options rotate ndots:5 timeout:1', list: { domains: [], ndots: 5 } },
  { why: 'more dots than the system allows', text: 'options ndots:99', list: { domains: [], ndots: 15 } },
  { why: 'options that say something else', text: 'options ndots:x\noptions edns0', list: { domains: [], ndots: 1 } },
  { why: 'comments', text: '# search a.test\nsearch b.test ; c.test', list: { domains: ['b.test'], ndots: 1 } },
  { why: 'servers are none of it', text: 'nameserver 10.0.0.2', list: { domains: [], ndots: 1 } },
];

for (const { why, text, list } of FILES) {
  test(`resolv.conf is read for the search: ${why}`, () => assert.deepEqual(parseSearchList(text), list));
}

const DOMAINS = ['ns.test', 'test'];

const NAMES = [
  {
    why: 'a short one is looked for in the domains first',
    name: 'app',
    ndots: 1,
    tried: ['app.ns.test', 'app.test', 'app'],
  },
  { why: 'one with dots enough comes first', name: 'app.b', ndots: 1, tried: ['app.b', 'app.b.ns.test', 'app.b.test'] },
  { why: 'one with fewer does not', name: 'app.b', ndots: 2, tried: ['app.b.ns.test', 'app.b.test', 'app.b'] },
  { why: 'one with a dot at the end is full', name: 'app.', ndots: 5, tried: ['app'] },
];

for (const { why, name, ndots, tried } of NAMES) {
  test(`names are tried in the order of the system's resolver: ${why}`, () => {
    assert.deepEqual(candidatesFor(name, { domains: DOMAINS, ndots }), tried);
  });
}
