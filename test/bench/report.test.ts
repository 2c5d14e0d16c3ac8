import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case } from '../../bench/bench.ts';
import { formatJson, formatText } from '../../bench/report.ts';
import type { Run } from '../../bench/run.ts';

const example: Case = {
  name: 'example',
  about: 'two gateways',
  metrics: [
    { key: 'cpuUs', title: 'CPU us/request', digits: 1 },
    { key: 'rssBytes', title: 'RSS MiB', digits: 1, scale: 2 ** 20 },
  ],
  compared: ['cpuUs'],
  defaultPeers: [],
  defaultRounds: 3,
  needs: [],
  contenders: async () => [],
};

function entrant(name: string, cpuUs: readonly number[]) {
  const rounds = cpuUs.map((us) => ({ cpuUs: us, rssBytes: 2 ** 20 }));
  return { name, version: `${name} 1`, rounds, systemCalls: { byName: { read: 2 }, dataPerRequest: 4 } };
}

const run: Run = {
  case: 'example',
  rounds: 3,
  seconds: 4,
  machine: {
    ...{
      processor: 'A',
      cores: 2,
      kernel: '6',
      node: 'v26',
      openFilesMax: 1024,
      gatewayCore: 0,
      loadCore: 1,
      allCores: '0,1',
    },
  },
  origin: 'nginx 1',
  missing: ['haproxy'],
  // The machine gets slower from round to round; the ratio does not.
  entrants: [entrant('photon', [10, 20, 40]), entrant('nginx', [20, 40, 50])],
  profile: [{ where: 'forward src/a.ts:1', percent: 12.34 }],
};

test('ratios are taken round by round, not of the medians', () => {
  const { ratios } = JSON.parse(formatJson(example, run)) as { ratios: unknown };
  assert.deepEqual(ratios, [
    { metric: 'cpuUs', of: 'photon', to: 'nginx', spread: { median: 0.5, min: 0.5, max: 0.8 } },
  ]);
});

test('the text names everybody, who is missing, system calls and where the time goes', () => {
  const text = formatText(example, run);
  assert.match(text, /^haproxy is not installed and left out$/m);
  assert.match(text, /^CPU us\/request\s+20\.0 \(10\.0\.\.40\.0\)\s+40\.0 \(20\.0\.\.50\.0\)$/m);
  assert.match(text, /^RSS MiB\s+1\.0\s+1\.0$/m);
  assert.match(text, /^CPU us\/request\s+0\.50 \(0\.50\.\.0\.80\)$/m);
  assert.match(text, /^reads and writes\s+4\.000\s+4\.000$/m);
  assert.match(text, /^forward src\/a\.ts:1\s+12\.3$/m);
});
