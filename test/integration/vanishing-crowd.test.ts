import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from '../soak/soak.ts';
import { SEED } from '../support/seed.ts';

/**
 * A crowd of clients that leave at every stage of request and reply, in a gateway of its own process. The long form, with a look at
 * its memory, is `npm run soak`.
 */

const CONNECTIONS = 1050;

const CROWDS = [
  { manners: 'resets', secure: false, why: 'the work for whoever has gone is cancelled, no timeout is needed' },
  { manners: 'any', secure: false, why: 'whoever has closed one side only is given up by the timeouts' },
  { manners: 'any', secure: true, why: 'over TLS, in the handshake too' },
] as const;

for (const { manners, secure, why } of CROWDS) {
  test(`a crowd that leaves rudely leaves nothing (PHOTON_FUZZ_SEED=${SEED}): ${why}`, async (t) => {
    const transport = process.env['PHOTON_TRANSPORT'];
    // Memory is not judged here, so nothing has to be warm; the wait for the timeouts of a first round would be half of the time.
    const counts = { connections: CONNECTIONS, warmUp: { connections: 0, roundsMax: 0 }, atOnce: 50 };
    const result = await soak(t, { ...counts, secure, manners, transport, seed: SEED });
    console.log(`transport: ${result.transport}`);
    assert.deepEqual(result.after, result.before);
    assert.deepEqual(result.wrongReplies, []);
    assert.deepEqual(result.badEvents, []);
    assert.ok(result.politeRequests > 0 && result.upstreamRequests > CONNECTIONS / 10);
  });
}
