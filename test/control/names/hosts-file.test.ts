import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHostsFile } from '../../../src/control/names/hosts-file.ts';

const NONE = { ipv4: [], ipv6: [] };

const CASES = [
  { why: 'a name', text: '10.0.0.7 app', name: 'app', found: { ...NONE, ipv4: ['10.0.0.7'] } },
  {
    why: 'tabs and blanks before it',
    text: ' \t10.0.0.7\t  app  ',
    name: 'app',
    found: { ...NONE, ipv4: ['10.0.0.7'] },
  },
  { why: 'the second name of a line', text: '10.0.0.7 a app', name: 'app', found: { ...NONE, ipv4: ['10.0.0.7'] } },
  { why: 'names have no case', text: '10.0.0.7 App', name: 'app', found: { ...NONE, ipv4: ['10.0.0.7'] } },
  { why: 'a comment after it', text: '10.0.0.7 app#x', name: 'app', found: { ...NONE, ipv4: ['10.0.0.7'] } },
  { why: 'lines of Windows', text: '10.0.0.7 app\r\n', name: 'app', found: { ...NONE, ipv4: ['10.0.0.7'] } },
  { why: 'a name in a comment is none', text: '10.0.0.7 a # app', name: 'app', found: undefined },
  { why: 'a whole line of comment', text: '# 10.0.0.7 app', name: 'app', found: undefined },
  { why: 'what begins with no address', text: '10.0.0.777 app', name: 'app', found: undefined },
  { why: 'an address without names', text: '10.0.0.7', name: '', found: undefined },
  {
    why: 'several lines, both families, in an order of our own and each once',
    text: '10.0.0.9 app\n::1 app\n10.0.0.10 app\n10.0.0.9 app',
    name: 'app',
    found: { ipv4: ['10.0.0.9', '10.0.0.10'], ipv6: ['::1'] },
  },
  {
    why: 'one address in two spellings',
    text: 'fd00:0:0::1 app\nFD00::1 app',
    name: 'app',
    found: { ...NONE, ipv6: ['fd00::1'] },
  },
];

for (const { why, text, name, found } of CASES) {
  test(`a hosts file is read: ${why}`, () => assert.deepEqual(parseHostsFile(text).get(name), found));
}
