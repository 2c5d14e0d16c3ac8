import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { measureCpu } from '../../bench/measure.ts';

async function startSleeper(t: TestContext) {
  const sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  t.after(() => sleeper.kill('SIGKILL'));
  await once(sleeper, 'spawn');
  return sleeper;
}

async function measureWhile(pids: readonly number[], load: () => Promise<void>): Promise<number> {
  const gateway = { name: 'gateway', port: 0, secure: false, pids: () => [...pids], stop: async () => undefined };
  const { cpuUs } = await measureCpu(gateway, async () => {
    await load();
    return { requests: 1 };
  });
  return cpuUs;
}

test('a process that ends beside a gateway does not end the measurement', async (t) => {
  const beside = await startSleeper(t);
  const cpuUs = await measureWhile([process.pid, beside.pid as number], async () => {
    beside.kill('SIGKILL');
    await once(beside, 'exit');
    const { user } = process.cpuUsage();
    while (process.cpuUsage().user - user < 50_000);
  });
  assert.ok(cpuUs > 0, `${cpuUs} us`);
});

test('a gateway that ends cannot be measured', async (t) => {
  const gateway = await startSleeper(t);
  const measured = measureWhile([gateway.pid as number, process.pid], async () => {
    gateway.kill('SIGKILL');
    await once(gateway, 'exit');
  });
  await assert.rejects(measured, /Cannot measure gateway: it has ended/);
});
