import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { murmur3, murmur3OfNumber } from '../../../src/base/murmur3.ts';
import { ConsistentHash } from '../../../src/upstream/balancing/consistent-hash.ts';
import { parseHashKey } from '../../../src/upstream/balancing/hash-key.ts';
import { HashRing } from '../../../src/upstream/balancing/hash-ring.ts';
import { Random } from '../../support/random.ts';
import { isUsable, requestOf, type Server } from './servers.ts';

const KEYS = 20_000;

const serversAt = (addresses: readonly string[]): Server[] =>
  addresses.map((key) => ({ key, weight: 1, inFlight: 0, usable: true }));

const TEN = Array.from({ length: 10 }, (_none, number) => `10.0.0.${number + 1}:8080`);

const byPath = (servers: readonly Server[]) => new ConsistentHash(servers, parseHashKey('path'));

const pickedFor = (balancer: ConsistentHash<Server>, path: string): string | undefined =>
  balancer.pick(requestOf({ path }), isUsable)?.key;

const picksOf = (balancer: ConsistentHash<Server>) =>
  Array.from({ length: KEYS }, (_none, number) => pickedFor(balancer, `/items/${number}`));

function shareMoved(before: readonly (string | undefined)[], after: readonly (string | undefined)[]): number {
  return before.filter((picked, at) => picked !== after[at]).length / before.length;
}

describe('a consistent hash', () => {
  // A change of these sends every client of every user elsewhere: they are what "stable" means.
  for (const { path, picked } of [
    { path: '/', picked: '10.0.0.4:8080' },
    { path: '/index.html', picked: '10.0.0.6:8080' },
    { path: '/api/v1/users/7', picked: '10.0.0.9:8080' },
    { path: '/caf%C3%A9', picked: '10.0.0.6:8080' },
  ]) {
    test(`sends ${path} to ${picked}, on every machine and for ever`, () => {
      assert.equal(pickedFor(byPath(serversAt(TEN)), path), picked);
    });
  }

  test('does not mind the order of the configuration', () => {
    assert.deepEqual(picksOf(byPath(serversAt(TEN.toReversed()))), picksOf(byPath(serversAt(TEN))));
  });

  test('moves only the keys of one of ten that is lost, and at most 12 % of them all', () => {
    const before = picksOf(byPath(serversAt(TEN)));
    for (const lost of TEN) {
      const after = picksOf(byPath(serversAt(TEN.filter((address) => address !== lost))));
      assert.ok(before.every((picked, at) => picked === lost || picked === after[at]));
      assert.ok(shareMoved(before, after) <= 0.12, `${lost}: ${shareMoved(before, after)}`);
    }
  });

  test('moves keys only to one that is added', () => {
    const before = picksOf(byPath(serversAt(TEN)));
    const after = picksOf(byPath(serversAt([...TEN, '10.0.0.99:8080'])));
    assert.ok(before.every((picked, at) => picked === after[at] || after[at] === '10.0.0.99:8080'));
    assert.ok(shareMoved(before, after) <= 0.12);
  });

  test('sends the keys of one that is down where they would go without it, and spreads them over all others', () => {
    const servers = serversAt(TEN);
    const [down, ...others] = servers as [Server, ...Server[]];
    const before = picksOf(byPath(servers));
    down.usable = false;
    const after = picksOf(byPath(servers));
    assert.deepEqual(after, picksOf(byPath(others)));
    const heirs = new Set(after.filter((_picked, at) => before[at] === down.key));
    assert.equal(heirs.size, 9);
    down.usable = true;
    assert.deepEqual(picksOf(byPath(servers)), before);
  });

  test('asks nobody twice in one pick, and everybody before it gives up', () => {
    const servers = serversAt(TEN);
    const balancer = byPath(servers);
    for (let turn = 0; turn < 100; turn++) {
      const asked: Server[] = [];
      const picked = balancer.pick(requestOf({ path: `/${turn}` }), (server) => {
        asked.push(server);
        return false;
      });
      assert.equal(picked, null);
      assert.equal(asked.length, 10);
      assert.equal(new Set(asked).size, 10);
    }
  });

  test('goes by the address of the client where the request has no such key, or an empty one', () => {
    for (const key of ['header:X-User', 'cookie:user']) {
      const balancer = new ConsistentHash(serversAt(TEN), parseHashKey(key));
      const byAddress = new ConsistentHash(serversAt(TEN), parseHashKey('ip'));
      for (let last = 0; last < 50; last++) {
        const clientAddress = `192.0.2.${last}`;
        const expected = byAddress.pick(requestOf({ clientAddress }), isUsable)?.key;
        for (const fields of [{}, { 'x-user': '', cookie: 'user=' }, { cookie: 'other=1; user' }]) {
          assert.equal(balancer.pick(requestOf({ clientAddress, fields }), isUsable)?.key, expected);
        }
      }
    }
  });

  for (const { key, fields, why } of [
    { key: 'header:X-User', fields: { 'x-user': 'ann' }, why: 'names of fields in any case' },
    { key: 'cookie:user', fields: { cookie: 'a=1; user=ann' }, why: 'one cookie among others' },
    { key: 'cookie:user', fields: { cookie: ';;; =; user=ann' }, why: 'nonsense around it' },
  ]) {
    test(`by ${key} reads ${JSON.stringify(fields)}: ${why}`, () => {
      const expected = byPath(serversAt(TEN)).pick(requestOf({ path: 'ann' }), isUsable)?.key;
      const balancer = new ConsistentHash(serversAt(TEN), parseHashKey(key));
      assert.equal(balancer.pick(requestOf({ fields, clientAddress: '192.0.2.77' }), isUsable)?.key, expected);
    });
  }
});

describe('a ring', () => {
  const membersOf = (weights: readonly number[]) =>
    weights.map((weight, number) => ({ key: `10.0.${number >> 8}.${number & 255}:80`, weight }));

  const pointsOf = (ring: HashRing, owner: number) =>
    Array.from({ length: ring.size }, (_none, place) => ring.ownerAt(place)).filter((each) => each === owner).length;

  for (const { weights, points, why } of [
    { weights: [1], points: [150], why: '150 points for one' },
    { weights: [1, 2], points: [150, 300], why: 'for each unit of weight' },
    { weights: [100, 200], points: [150, 300], why: 'weights over their greatest common divisor' },
    { weights: [1_000_000, 1], points: [65_535, 1], why: 'at most 65536, and at least one each' },
  ]) {
    test(`of ${weights.join(':')} has ${points.join(' and ')} points: ${why}`, () => {
      const ring = new HashRing(membersOf(weights));
      assert.deepEqual(
        weights.map((_weight, owner) => pointsOf(ring, owner)),
        points,
      );
    });
  }

  test('of a thousand has no more than 65536 points', () => {
    assert.ok(new HashRing(membersOf(new Array(1000).fill(1))).size <= 65_536);
  });

  /** Point i of a member, as the ring says that it is. */
  const pointOf = (key: string, i: number) => murmur3OfNumber(murmur3(key, 1) + i, murmur3(key, 0));

  test('gives a hash to the owner of the first point at or after it, and the last ones to the first point', () => {
    const random = new Random(7);
    for (const count of [1, 2, 3, 10, 100]) {
      const members = membersOf(new Array(count).fill(1));
      const ring = new HashRing(members);
      const points = members
        .flatMap(({ key }, owner) => Array.from({ length: 150 }, (_none, i) => [pointOf(key, i), owner] as const))
        .sort(([a], [b]) => a - b);
      const near = points.flatMap(([point]) => [point - 1, point, point + 1]);
      const others = [0, 1, 2 ** 31, 2 ** 32 - 1, ...Array.from({ length: 200 }, () => random.below(2 ** 32))];
      for (const hash of [...Array.from({ length: 300 }, () => random.pick(near)), ...others]) {
        if (hash < 0 || hash >= 2 ** 32) continue;
        const [, owner] = points.find(([point]) => point >= hash) ?? (points[0] as readonly [number, number]);
        assert.equal(ring.ownerAt(ring.placeOf(hash)), owner, `${count} members, ${hash}`);
      }
    }
  });
});
