import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { PhotonProcess, writeConfig } from './photon-process.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

for (const option of ['-V', '--version']) {
  test(`${option} prints the version alone`, async (t) => {
    const { code, stdout, stderr } = await new PhotonProcess(t, [option]).ended;
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: `${version}\n`, stderr: '' });
  });
}

for (const option of ['-h', '--help']) {
  test(`${option} lists every option and command`, async (t) => {
    const { code, stdout, stderr } = await new PhotonProcess(t, [option]).ended;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.match(stdout, /^Usage: photon \[options\] \[command\]\n/);
    const options = ['-c, --config <file>', '-l, --log-level <level>', '-h, --help', '-V, --version'];
    for (const listed of [...options, 'check [options]', 'explain [options]', 'routes [options]', 'schema']) {
      assert.ok(stdout.includes(listed), `${listed} in:\n${stdout}`);
    }
  });
}

test('schema prints the JSON Schema of the configuration', async (t) => {
  const { code, stdout, stderr } = await new PhotonProcess(t, ['schema']).ended;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(configJsonSchema())));
});

const MISUSES = [
  { args: ['--no-such-option'], why: 'an option that does not exist' },
  { args: ['--config'], why: 'an option without its value' },
  { args: ['--log-level', 'loud'], why: 'a level that does not exist' },
  { args: ['config.yaml'], why: 'a word that is no command' },
  { args: ['check', 'config.yaml'], why: 'a word that belongs to no option' },
  { args: ['check', '--format', 'xml'], why: 'a format that does not exist' },
  { args: ['explain', 'GET'], why: 'no URL' },
  { args: ['explain', 'GET', 'example.com/a'], why: 'a URL without a scheme' },
  { args: ['explain', 'GET', '/', '-H', 'nonsense'], why: 'a header without a colon' },
  { args: ['explain', 'GET', '/', '--from', 'here'], why: 'an address that is none' },
  { args: ['schema', 'config.yaml'], why: 'a word that schema does not take' },
];

for (const { args, why } of MISUSES) {
  test(`photon ${args.join(' ')}: exit code 2 for ${why}`, async (t) => {
    const { code, stdout, stderr } = await new PhotonProcess(t, args).ended;
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^error: /);
  });
}

test('LOG_LEVEL sets the level, and the option wins over it', async (t) => {
  const path = writeConfig(t);
  const loud = new PhotonProcess(t, ['-c', path, '-l', 'info'], { LOG_LEVEL: 'warn' });
  await loud.port();
  loud.kill('SIGTERM');
  assert.deepEqual((await loud.ended).code, 0);

  const quiet = new PhotonProcess(t, ['-c', path], { LOG_LEVEL: 'error' });
  const crash = setInterval(() => quiet.crashWorker(0), 50);
  t.after(() => clearInterval(crash));
  await quiet.event('worker-died');
  clearInterval(crash);
  assert.deepEqual(quiet.events('listening'), []);
});

test('a level in LOG_LEVEL that does not exist is an error of usage', async (t) => {
  const { code } = await new PhotonProcess(t, ['-c', writeConfig(t)], { LOG_LEVEL: 'loud' }).ended;
  assert.equal(code, 2);
});
