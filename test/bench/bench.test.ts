import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Run } from '../../bench/run.ts';
import type { Spread } from '../../bench/statistics.ts';

const main = join(import.meta.dirname, '..', '..', 'bench', 'main.ts');
const liar = join(import.meta.dirname, 'fixtures', 'liar.ts');
const short = ['proxy-small', '--rounds', '1', '--seconds', '1', '--peers', 'none'];

/** The bench makes its directory here, so that what it leaves behind is seen. */
const directory = mkdtempSync(join(tmpdir(), 'bench-test-'));
after(() => rmSync(directory, { recursive: true }));

function startBench(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const bench = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env, TMPDIR: directory } });
  const said = { output: '', errors: '' };
  bench.stdout.setEncoding('utf8').on('data', (text: string) => (said.output += text));
  bench.stderr.setEncoding('utf8').on('data', (text: string) => (said.errors += text));
  return { bench, said };
}

async function runBench(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { bench, said } = startBench(args, env);
  const [code] = (await once(bench, 'close')) as [number | null];
  assert.deepEqual(readdirSync(directory), [], 'the directory of the run is removed');
  return { ...said, code };
}

/** Everything that runs on a file below the directory of a run. */
function processesOfRun(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/cmdline`))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    })
    .filter((commandLine) => commandLine.includes(directory));
}

test('a short run measures Photon and gives every figure as JSON', async () => {
  const { code, output, errors } = await runBench([...short, '--json']);
  assert.equal(code, 0, errors);
  const run = JSON.parse(output) as Run & { entrants: { summary: Record<string, Spread> }[]; ratios: unknown[] };
  assert.equal(run.case, 'proxy-small');
  assert.deepEqual(run.ratios, []);
  assert.deepEqual(
    run.entrants.map(({ name, rounds }) => [name, rounds.length]),
    [['photon', 1]],
  );
  const { summary, rounds } = run.entrants[0] as (typeof run.entrants)[number];
  for (const key of ['cpuUs', 'userUs', 'systemUs', 'requestsPerSecond', 'p50Us', 'p99Us', 'rssBytes']) {
    assert.ok((summary[key]?.median ?? 0) > 0, `${key} is measured`);
    assert.equal(summary[key]?.median, rounds[0]?.[key]);
  }
});

test('a gateway that answers with other bytes is not measured', async () => {
  const env = { LIAR_HONEST_REPLIES: '1', LIAR_STATUS: '200' };
  const { code, output, errors } = await runBench([...short, '--photon', liar], env);
  assert.equal(code, 1);
  assert.equal(output, '');
  assert.match(errors, /^Wrong reply of photon to GET \/small\.json: want/m);
});

test('a gateway that fails under load gives no figure', async () => {
  const env = { LIAR_HONEST_REPLIES: '100', LIAR_STATUS: '502' };
  const { code, output, errors } = await runBench([...short, '--photon', liar], env);
  assert.equal(code, 1);
  assert.equal(output, '');
  assert.match(errors, /^Errors under load: \d+ status$/m);
});

test('a gateway that does not start is named, with its last words', async () => {
  const { code, errors } = await runBench([...short, '--photon', join(directory, 'no-such-file.ts')]);
  assert.equal(code, 1);
  assert.match(errors, /^Cannot start photon: it ended\.$/m);
  assert.match(errors, /no-such-file/);
});

test('a peer that is not known is refused, and an unknown case too', async () => {
  const unknownPeer = await runBench(['proxy-small', '--peers', 'ngnix']);
  assert.equal(unknownPeer.code, 1);
  assert.match(
    unknownPeer.errors,
    /want some of nginx, nginx-same-job, nginx-tuned, nginx-log, nginx-log-buffered, haproxy, bare-sockets, got "ngnix"/,
  );
  assert.equal((await runBench(['proxy-tiny'])).code, 2);
});

test('Ctrl-C ends every process that a run has started', async () => {
  const { bench, said } = startBench([...short, '--seconds', '30', '--photon', liar], { LIAR_HONEST_REPLIES: '1e9' });
  const closed = once(bench, 'close');
  // Only when wrk runs are the origin, the gateway and the load all there.
  while (!processesOfRun().some((commandLine) => commandLine.startsWith('wrk'))) {
    assert.equal(bench.exitCode, null, said.errors);
    await delay(10);
  }
  bench.kill('SIGINT');
  const [code] = (await closed) as [number | null];
  assert.equal(code, 130);
  assert.equal(said.errors, '');
  assert.deepEqual(processesOfRun(), []);
  assert.deepEqual(readdirSync(directory), []);
});
