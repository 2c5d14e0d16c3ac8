import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SEED } from '../support/seed.ts';
import { foundAbout } from './found.ts';
import { attack } from './target.ts';
import { TARGETS } from './targets.ts';

/** With fewer, shares are chance. */
const RUNS_FOR_SHARES = 1000;

for (const target of TARGETS) {
  const wanted = Number(process.env['PHOTON_FUZZ_RUNS'] ?? target.runsInTests);
  describe(target.name, () => {
    for (const { file, why, input } of foundAbout(target.name)) {
      test(`${file} is not found any more: ${why.split('\n', 1)[0]}`, async () => {
        await target.examine(input);
      });
    }

    test(`nothing is found in ${wanted} runs (PHOTON_FUZZ_SEED=${SEED})`, async (context) => {
      const { runs, verdicts, finding } = await attack(target, SEED, wanted);
      assert.equal(finding, null, `${finding?.why}\n${JSON.stringify(finding?.input)}`);
      for (const [verdict, count] of verdicts) context.diagnostic(`${verdict}: ${count}`);
      if (runs < RUNS_FOR_SHARES) return;
      for (const [verdict, share] of Object.entries(target.shares)) {
        const count = verdicts.get(verdict) ?? 0;
        assert.ok(count >= share * runs, `only ${count} of ${runs} were ${verdict}: want ${share * 100} % of them`);
      }
    });
  });
}
