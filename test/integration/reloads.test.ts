import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soakReloads } from '../soak/reloads.ts';

test('reloads under load, broken ones among them, lose no request, and repeat none', async () => {
  const { reloaded, refused, requests, wrkRequests, seenByUpstream, failures } = await soakReloads(10);
  assert.deepEqual(failures, []);
  assert.deepEqual({ reloaded, refused }, { reloaded: 9, refused: 1 });
  assert.equal(seenByUpstream, requests);
  assert.ok(requests > 100 && wrkRequests > 100, 'hardly any load');
});
