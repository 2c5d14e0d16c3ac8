import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findDirectoryFault, runtimeDirectory } from '../../src/control/runtime-directory.ts';
import { type Ending, PhotonProcess, temporaryDirectory, writeConfig } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

const OWN_UID = process.geteuid?.() ?? 0;
/** A user that no system has an entry for. */
const NO_ENTRY_UID = 54_321;
const IS_ROOT = OWN_UID === 0;
const USER = IS_ROOT ? NO_ENTRY_UID : OWN_UID;

for (const { env, uid, wanted, why } of [
  { env: { RUNTIME_DIRECTORY: '/run/gate' }, uid: 1000, wanted: '/run/gate', why: 'systemd gives one' },
  { env: { RUNTIME_DIRECTORY: '/run/gate:/run/other' }, uid: 0, wanted: '/run/gate', why: 'systemd gives several' },
  { env: { RUNTIME_DIRECTORY: '' }, uid: 0, wanted: '/run/photon', why: 'root, and an empty variable' },
  {
    env: { XDG_RUNTIME_DIR: '/run/user/1000' },
    uid: 1000,
    wanted: '/run/user/1000/photon',
    why: 'a user who has logged in',
  },
  {
    env: { XDG_RUNTIME_DIR: 'run' },
    uid: 1000,
    wanted: join(tmpdir(), 'photon-1000'),
    why: 'a relative path does not count (XDG)',
  },
  { env: {}, uid: NO_ENTRY_UID, wanted: join(tmpdir(), 'photon-54321'), why: 'a user without an entry in /etc/passwd' },
]) {
  test(`the runtime directory is ${wanted}: ${why}`, () => {
    assert.equal(runtimeDirectory(env, uid), wanted);
  });
}

interface DirectoryCase {
  readonly why: string;
  /** Makes something at the path. */
  readonly make: (path: string, t: TestContext) => void;
  readonly fault: RegExp;
}

const DIRECTORY_FAULTS: readonly DirectoryCase[] = [
  {
    why: 'a link leads to where another user wants it',
    make: (path, t) => symlinkSync(ownDirectory(temporaryDirectory(t)), path),
    fault: /it is a symbolic link/,
  },
  { why: 'there is a file', make: (path) => writeFileSync(path, ''), fault: /it is no directory/ },
  {
    why: 'everybody may write to it',
    make: (path) => chmodSync(ownDirectory(path), 0o777),
    fault: /others may write to it \(mode 777\), want mode 700/,
  },
  {
    why: 'its group may write to it',
    make: (path) => chmodSync(ownDirectory(path), 0o770),
    fault: /others may write to it \(mode 770\), want mode 700/,
  },
];

function ownDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (IS_ROOT) chownSync(path, USER, USER);
  return path;
}

for (const { why, make, fault } of DIRECTORY_FAULTS) {
  test(`a runtime directory is not used: ${why}`, (t) => {
    const path = join(temporaryDirectory(t), 'photon');
    make(path, t);
    assert.match(String(findDirectoryFault(path, { uid: USER })), fault);
  });
}

test('a runtime directory of another user is not used', (t) => {
  const path = temporaryDirectory(t);
  assert.equal(findDirectoryFault(path, { uid: OWN_UID }), null);
  assert.match(String(findDirectoryFault(path, { uid: OWN_UID + 1 })), /it belongs to the user \d+, want \d+/);
});

test('the service manager may give a link, and a directory that others may read', (t) => {
  const directory = temporaryDirectory(t);
  const link = join(temporaryDirectory(t), 'given');
  symlinkSync(directory, link);
  chmodSync(directory, 0o755);
  assert.equal(findDirectoryFault(link, { isGiven: true }), null);
});

/** A gateway, or a command, whose user has no other place for a runtime directory than among the temporary files. */
function startWithoutHome(
  t: TestContext,
  temporary: string,
  config: string = readableConfig(t),
  command: readonly string[] = [],
): PhotonProcess {
  const env = { TMPDIR: temporary, XDG_RUNTIME_DIR: '' };
  return new PhotonProcess(t, ['--config', config, ...command], env, IS_ROOT ? { uid: USER } : {});
}

function readableConfig(t: TestContext, upstreamPort = 1): string {
  const path = writeConfig(t, { upstreamPort, server: { workers: 1 } });
  chmodSync(dirname(path), 0o755);
  return path;
}

/** Anyone may make files here, and nobody may take away those of others. */
function sharedDirectory(t: TestContext): string {
  const path = temporaryDirectory(t);
  chmodSync(path, 0o1777);
  return path;
}

test('a user without an entry in /etc/passwd serves, is reached by commands, and stops on SIGTERM', async (t) => {
  if (!IS_ROOT) t.skip('only root can be another user');
  const upstream = await Upstream.start(t);
  const temporary = sharedDirectory(t);
  const config = readableConfig(t, upstream.port);
  const photon = startWithoutHome(t, temporary, config);
  await photon.event('ready');
  assert.deepEqual(photon.events('no-control-socket'), []);
  assert.equal((await get({ port: await photon.port() })).status, 200);
  const directory = statSync(join(temporary, `photon-${USER}`));
  assert.deepEqual([directory.uid, directory.mode & 0o777], [USER, 0o700]);
  assert.equal((await startWithoutHome(t, temporary, config, ['reload']).ended).code, 0);
  photon.kill('SIGTERM');
  assert.equal((await photon.ended).code, 0);
});

/** The line that says why a command or a start failed. */
function assertRefused({ code, stderr }: Ending, wanted: RegExp): void {
  assert.equal(code, 1, stderr);
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  assert.equal(lines.length, 1, stderr);
  assert.match(String(lines[0]), /^photon: Cannot use the directory /);
  assert.match(String(lines[0]), wanted);
}

for (const { why, make, fault } of DIRECTORY_FAULTS) {
  test(`Photon does not start, and says so in one line, where its runtime directory is not its own: ${why}`, async (t) => {
    const temporary = sharedDirectory(t);
    make(join(temporary, `photon-${USER}`), t);
    const photon = startWithoutHome(t, temporary);
    assertRefused(await photon.ended, fault);
    assert.deepEqual(photon.events('listening'), [], 'nobody has been let in before');
  });
}

for (const { command, what } of [
  { command: [], what: 'does not start' },
  { command: ['reload'], what: 'asks nobody' },
]) {
  test(`where another user has made the runtime directory, ${['photon', ...command].join(' ')} ${what}`, async (t) => {
    if (!IS_ROOT) t.skip('only root can be two users');
    const temporary = sharedDirectory(t);
    mkdirSync(join(temporary, `photon-${USER}`), { mode: 0o755 });
    const photon = startWithoutHome(t, temporary, readableConfig(t), command);
    assertRefused(await photon.ended, /it belongs to the user 0, want 54321/);
  });
}

test('without a place for the control socket Photon serves, says so, and stops on SIGTERM', async (t) => {
  const upstream = await Upstream.start(t);
  // Nobody may make a directory there, not even root.
  const env = { RUNTIME_DIRECTORY: '/proc/photon' };
  const config = writeConfig(t, { upstreamPort: upstream.port, server: { workers: 1 } });
  const photon = new PhotonProcess(t, ['--config', config], env);
  await photon.event('ready');
  assert.equal(photon.events('no-control-socket').length, 1);
  assert.equal((await get({ port: await photon.port() })).status, 200);
  photon.kill('SIGTERM');
  assert.equal((await photon.ended).code, 0);
});

test('server.upgrade_sock is opened or Photon does not start, and nothing that is no socket is removed for it', async (t) => {
  const file = join(temporaryDirectory(t), 'precious.txt');
  writeFileSync(file, 'precious');
  const server = createServer().listen(join(temporaryDirectory(t), 'taken.sock'));
  t.after(() => server.close());
  for (const { path, wanted } of [
    { path: file, wanted: /is no socket/ },
    { path: String(server.address()), wanted: /another gateway answers/ },
    { path: '/proc/photon/control.sock', wanted: /ENOENT/ },
  ]) {
    const photon = new PhotonProcess(t, ['--config', writeConfig(t, { server: { upgrade_sock: path } })], {
      LOG_LEVEL: 'silent',
    });
    const { code, stderr } = await photon.ended;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^photon: Cannot open server.upgrade_sock [^\n]+\n$/);
    assert.match(stderr, wanted);
  }
  assert.equal(existsSync(file), true);
});

for (const { why, change, code, said } of [
  {
    why: 'has a mistake in it',
    change: (text: string) => text.replace('"routes"', '"roots"'),
    code: 1,
    said: /^photon: Cannot reload \S+: (?!Cannot reach)/,
  },
  {
    why: 'is no text of its format',
    change: () => '{ "server": ',
    code: 1,
    said: /^photon: Cannot reload \S+: (?!Cannot reach)/,
  },
  {
    why: 'names another socket by now',
    change: (text: string) => text.replace('first.sock', 'other.sock'),
    code: 0,
    said: /^$/,
  },
]) {
  test(`photon reload reaches a gateway with server.upgrade_sock when its file ${why}`, async (t) => {
    const directory = temporaryDirectory(t);
    const server = { upgrade_sock: join(directory, 'first.sock'), workers: 1 };
    const config = writeConfig(t, { server });
    const env = { RUNTIME_DIRECTORY: temporaryDirectory(t) };
    const photon = new PhotonProcess(t, ['--config', config], env);
    await photon.event('ready');
    assert.deepEqual(photon.events('not-active-yet'), []);
    writeFileSync(config, change(readFileSync(config, 'utf8')));
    const ended = await new PhotonProcess(t, ['--config', config, 'reload'], env).ended;
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, said);
  });
}

test('where the file cannot be read and no gateway answers, photon reload says that the socket may be elsewhere', async (t) => {
  const config = writeConfig(t, {});
  writeFileSync(config, '{ "server": ');
  const env = { RUNTIME_DIRECTORY: temporaryDirectory(t) };
  const { code, stderr } = await new PhotonProcess(t, ['--config', config, 'reload'], env).ended;
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^photon: Cannot reach a running gateway at \S+: ENOENT; if server.upgrade_sock is set, it cannot be read: [^\n]+\n$/,
  );
});
