import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KNOWN_FAULTS } from './known-faults.ts';
import { Runner } from './runner.ts';
import type { Scenario } from './scenario/scenario.ts';

const runner = new Runner();
after(() => runner.close());

const SEEDS = [
  { from: 320, count: 96, transport: 'onread' },
  { from: 640, count: 96, transport: 'plain' },
] as const;

for (const { from, count, transport } of SEEDS) {
  test(`whole gateways in simulated networks obey the rules: ${count} seeds from ${from}, ${transport}`, async () => {
    const { seed, findings, exchanges } = await runner.run({ task: 'seeds', from, count, transport });
    assert.deepEqual(findings, [], `npm run simulate -- --runs 1 --seed ${seed} --transport ${transport}`);
    assert.ok(exchanges > count, `${exchanges} exchanges`);
  });
}

test('a seed gives the same run each time', async () => {
  const task = { task: 'seeds', from: 1600, count: 16, transport: 'onread' } as const;
  const first = await runner.run(task);
  assert.equal((await runner.run(task)).traceHash, first.traceHash);
});

test('each fault that the gateway once had can be put into its code of today', () => {
  for (const { name, edits } of KNOWN_FAULTS) {
    for (const { file, before } of edits) {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      assert.ok(text.includes(before), `${name}: ${file} has no ${JSON.stringify(before)}`);
    }
  }
});

const CASES = new URL('./cases/', import.meta.url);

for (const file of readdirSync(CASES)) {
  test(`what was found once is not found again: ${file}`, async () => {
    const scenario = JSON.parse(readFileSync(new URL(file, CASES), 'utf8')) as Scenario;
    for (const transport of ['onread', 'plain'] as const) {
      const { findings } = await runner.run({ task: 'scenario', scenario: { ...scenario, transport } });
      assert.deepEqual(findings, [], `npm run simulate -- --case test/simulation/cases/${file}`);
    }
  });
}

for (const { args, says } of [
  {
    args: ['--seed', '320', '--runs', '20'],
    says: /^20 runs, \d+ exchanges, .*; first seed 320\n.*had one allowed outcome$/m,
  },
  { args: ['--seed', '320', '--hunt', '30'], says: /^\d+ runs, (?:[3-9]\d|\d{3,}) exchanges, .*; first seed 320$/m },
  {
    args: ['--case', fileURLToPath(new URL('stalled-reader-of-http-1-0.json', CASES))],
    says: /^trace \d+: 0 findings$/m,
  },
]) {
  test(`the command plays what it is asked for: ${args.at(-2)}`, () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout, says);
  });
}
