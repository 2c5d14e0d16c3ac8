import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientNetworks } from '../../src/middleware/client-network.ts';

const SAME = [
  { a: '2001:db8::1', b: '2001:db8::2', bits: 64, same: true, why: 'two addresses of one /64' },
  { a: '2001:db8::1', b: '2001:0DB8:0:0:ffff:ffff:ffff:ffff', bits: 64, same: true, why: 'its first and its last' },
  { a: '2001:db8::1', b: '2001:db8:0:1::1', bits: 64, same: false, why: 'the next /64' },
  { a: '2001:db8::1', b: '2001:db8:0:1::1', bits: 48, same: true, why: 'one /48' },
  { a: '2001:db8:0:8000::', b: '2001:db8::', bits: 49, same: false, why: 'the bit that a prefix of 49 ends with' },
  { a: '2001:db8:0:4000::', b: '2001:db8::', bits: 49, same: true, why: 'the bit after it' },
  { a: '::1', b: '0:0:0:0:0:0:0:1', bits: 128, same: true, why: 'one address in two spellings' },
  { a: '::1', b: '::2', bits: 128, same: false, why: 'all bits count' },
  { a: '2001:db8::', b: '2001:db9::', bits: 32, same: false, why: 'the shortest prefix' },
  { a: '::ffff:10.0.0.1', b: '10.0.0.1', bits: 64, same: true, why: 'IPv4 mapped into IPv6 (RFC 4291 2.5.5.2)' },
  { a: '::ffff:10.0.0.1', b: '::ffff:10.0.0.2', bits: 64, same: false, why: 'mapped addresses are no /64' },
  { a: '10.0.0.1', b: '10.0.0.2', bits: 64, same: false, why: 'IPv4 has no prefix' },
  { a: 'unix:', b: 'unix:', bits: 64, same: true, why: 'all clients of a Unix socket' },
  { a: 'unix:', b: '::', bits: 64, same: false, why: 'no address is like none of IPv6' },
  { a: 'fe80::1%eth0', b: 'fe80::2%eth0', bits: 64, same: true, why: 'a zone' },
];

describe('the network of a client', () => {
  for (const { a, b, bits, same, why } of SAME) {
    test(`of ${a} and ${b} is ${same ? 'one' : 'two'}: ${why}`, () => {
      const networks = new ClientNetworks(bits);
      assert.equal(networks.of(a) === networks.of(b), same);
      assert.equal(networks.of(a), networks.of(a), 'asked again');
    });
  }

  test('is the same before and after more addresses came than are remembered', () => {
    const networks = new ClientNetworks(64);
    const before = networks.of('2001:db8::1');
    for (let n = 0; n < 10_000; n++) networks.of(`2001:db8:1:${n.toString(16)}::1`);
    assert.equal(networks.of('2001:db8::9'), before);
  });
});
