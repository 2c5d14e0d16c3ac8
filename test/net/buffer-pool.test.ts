import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BufferPool, type Lease } from '../../src/net/buffer-pool.ts';

describe('a pool of buffers', () => {
  test('lends a buffer again only when the last who needs it has let go', () => {
    const pool = new BufferPool();
    const lease = pool.take();
    assert.equal(lease.holds, 1);
    lease.holds += 2;
    pool.release(lease);
    pool.release(lease);
    assert.notEqual(pool.take(), lease);
    assert.equal(pool.leased, 2);
    pool.release(lease);
    assert.equal(pool.leased, 1);
    assert.equal(pool.take(), lease);
  });

  test('never lends its shared buffer, nor one buffer to two', () => {
    const pool = new BufferPool();
    const leases = new Set<Lease>();
    const memories = new Set([pool.shared.buffer]);
    for (let count = 0; count < 50; count++) {
      const lease = pool.take();
      leases.add(lease);
      memories.add(lease.bytes.buffer);
    }
    assert.equal(leases.size, 50);
    assert.equal(memories.size, 51);
    assert.equal(pool.leased, 50);
  });

  test('has room in a lent buffer for a whole read and a head before it', () => {
    const pool = new BufferPool();
    assert.equal(pool.shared.length, 64 * 1024);
    assert.ok(pool.take().bytes.length >= pool.shared.length + 8 * 1024);
  });

  test('keeps a bounded number of free buffers after a rush', () => {
    const pool = new BufferPool();
    const rush = Array.from({ length: 400 }, () => pool.take());
    for (const lease of rush) pool.release(lease);
    assert.equal(pool.leased, 0);
    const known = new Set(rush);
    const again = Array.from({ length: 400 }, () => pool.take());
    const reused = again.filter((lease) => known.has(lease)).length;
    assert.ok(reused >= 200 && reused <= 300, `${reused} of 400 buffers were kept`);
  });
});
