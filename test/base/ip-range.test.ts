import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IpRanges } from '../../src/base/ip-range.ts';

describe('a set of IP addresses', () => {
  for (const { ranges, inside, outside } of [
    { ranges: [], inside: [], outside: ['127.0.0.1', '::1', ''] },
    { ranges: ['10.0.0.1'], inside: ['10.0.0.1', '::ffff:10.0.0.1'], outside: ['10.0.0.2', '::1', '::ffff:10.0.0.2'] },
    {
      ranges: ['10.0.0.0/8', '192.168.1.0/24'],
      inside: ['10.0.0.0', '10.255.255.255', '192.168.1.255', '::ffff:10.1.2.3'],
      outside: ['9.255.255.255', '11.0.0.0', '192.168.2.0', 'fd00::1'],
    },
    { ranges: ['10.1.2.3/8'], inside: ['10.9.9.9'], outside: ['11.1.2.3'] },
    {
      ranges: ['fd00::/8', '2001:db8::1'],
      inside: ['fd00::1', 'fdff:ffff::', '2001:db8::1', '2001:0DB8:0:0::0001'],
      outside: ['fe00::', '2001:db8::2', '10.0.0.1'],
    },
    { ranges: ['0.0.0.0/0'], inside: ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4'], outside: ['::1'] },
    { ranges: ['::/0'], inside: ['::', 'ffff::'], outside: ['1.2.3.4'] },
    {
      ranges: ['::ffff:10.0.0.0/104'],
      inside: ['10.1.2.3', '::ffff:10.255.0.1'],
      outside: ['11.0.0.1', 'fd00::1', '9.255.255.255'],
    },
    { ranges: ['172.16.0.0/12'], inside: ['172.16.0.0', '172.31.255.255'], outside: ['172.15.255.255', '172.32.0.0'] },
  ]) {
    test(`of ${ranges.join(', ') || 'nothing'} has what is within and nothing else`, () => {
      const set = new IpRanges(ranges);
      for (const address of inside) assert.ok(set.includes(address), `${address} belongs to it`);
      for (const address of outside) assert.ok(!set.includes(address), `${address} does not`);
    });
  }

  test('has nothing that is no address', () => {
    const set = new IpRanges(['0.0.0.0/0', '::/0']);
    for (const text of [
      '',
      'unknown',
      'localhost',
      '10.1',
      '0x7f.1',
      '017.0.0.1',
      '2130706433',
      '1.2.3.4:80',
      '[::1]',
      '1.2.3.4/8',
      '1.2.3.4, 5.6.7.8',
      ' 1.2.3.4',
      'unix:',
    ]) {
      assert.ok(!set.includes(text), JSON.stringify(text));
    }
  });

  test('cannot be made of anything else', () => {
    for (const text of ['localhost', '10.0.0.0/33', '::/129', '10.0.0.0/', '', '10.0.0.0/-1']) {
      assert.throws(() => new IpRanges([text]), Error, JSON.stringify(text));
    }
  });
});
