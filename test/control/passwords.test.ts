import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

/** Of "Hello world!", from the specification of sha-crypt. */
const HELLO = '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1';
/** Of the same; made by `openssl passwd -5`. */
const HELLO_256 = '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5';
/** Of another password, likewise. */
const OTHER = '$5$saltstring$JuLX9aQ0fd97jUvsNmCJG4Yty/DFFBor1sXgZWo3iN4';

async function start(t: TestContext, others: Readonly<Record<string, string>> = {}) {
  const upstream = await Upstream.start(t);
  const directory = temporaryDirectory(t);
  const [file, htpasswd] = [join(directory, 'config.json'), join(directory, 'users')];
  writeFileSync(htpasswd, `bob:${HELLO_256}\n`);
  const config = {
    server: { http_addr: '127.0.0.1:0', workers: 2 },
    load_balancing: { backends: { origin: { upstreams: [{ address: `127.0.0.1:${upstream.port}` }] } } },
    middleware: { authentication: { auth_type: 'basic', basic: { users: { alice: HELLO, ...others }, htpasswd } } },
    routes: [{ path: '/**', middleware: ['auth'] }],
  };
  writeFileSync(file, JSON.stringify(config));
  const photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: directory });
  await photon.event('ready');
  const port = await photon.port();
  const as = async (user: string, password: string): Promise<number> => {
    const token = Buffer.from(`${user}:${password}`).toString('base64');
    return (await get({ port }, '/x', { Authorization: `Basic ${token}` })).status;
  };
  return { photon, file, htpasswd, as };
}

test('users of the configuration and of a file pass with their passwords alone, and no password is logged', async (t) => {
  const { photon, as } = await start(t);
  for (let n = 0; n < 6; n++) {
    assert.equal(await as('alice', 'Hello world!'), 200);
    assert.equal(await as('bob', 'Hello world!'), 200);
    assert.equal(await as('bob', 'wrong secret'), 401);
    assert.equal(await as('nobody', 'Hello world!'), 401);
  }
  photon.kill('SIGTERM');
  const { stdout, stderr } = await photon.ended;
  assert.match(stdout, /"path":"\/x"/, 'the access log is written there');
  const tokens = ['bob:wrong secret', 'alice:Hello world!'].map((text) => Buffer.from(text).toString('base64'));
  for (const secret of ['Hello world!', 'wrong secret', ...tokens]) {
    assert.ok(!`${stdout}${stderr}`.includes(secret), 'no output shows a password');
  }
});

test('a password that was remembered is refused as soon as the user has another hash', async (t) => {
  const { photon, htpasswd, as } = await start(t);
  for (let n = 0; n < 4; n++) assert.equal(await as('bob', 'Hello world!'), 200);
  writeFileSync(htpasswd, `bob:${OTHER}\n`);
  await photon.event('reloaded');
  for (let n = 0; n < 4; n++) assert.equal(await as('bob', 'Hello world!'), 401);
  assert.equal(await as('bob', 'another'), 200);
});

test('a file with a fault at reload is named with its line, and the users from before stay', async (t) => {
  const { photon, htpasswd, as } = await start(t);
  writeFileSync(htpasswd, `bob:${OTHER}\ncarol:$1$nothing\n`);
  const line = await photon.event('reload-failed');
  assert.match(JSON.stringify(line), /users:2:/);
  assert.equal(await as('bob', 'Hello world!'), 200);
});

test('the check of a file with a fault ends with 1 and says where the fault is', async (t) => {
  const { file, htpasswd } = await start(t);
  writeFileSync(htpasswd, `bob:${OTHER}\ncarol:$1$nothing\n`);
  const { code, stdout, stderr } = await new PhotonProcess(t, ['check', '--config', file]).ended;
  assert.equal(code, 1);
  assert.match(`${stdout}${stderr}`, /users:2:/);
});

test('a thread of hashes that dies is replaced, and the next right password passes', async (t) => {
  const { photon, as } = await start(t);
  photon.crashThread('photon-passwords', 'terminate');
  await photon.event('password-thread-died');
  let status = 503;
  while (status === 503) status = await as('alice', 'Hello world!');
  assert.equal(status, 200);
});

/** Of "Hello world!": half a second each. */
const SLOW_HASHES = [
  {
    kind: 'bcrypt',
    why: 'is cut off in the middle: it is JavaScript',
    hash: '$2b$13$52sWjs3//eVfy3pigNTRIuFCcM0Nrc3OtEIO.YHKP9N.W4.dnAShy',
  },
  {
    kind: 'argon2',
    why: 'is hashed to the end, which nobody hears of: it is one call',
    hash: '$argon2id$v=19$m=65536,t=8,p=1$c2FsdHN0cmluZ3NhbHRzdA$ViMGnPY1h4UEj9A2NazsNPzXiTZODkahI80lg4X4Mbc',
  },
];

for (const { kind, why, hash } of SLOW_HASHES) {
  test(`passwords that are under way or wait when the thread dies get 503; one of ${kind} ${why}`, async (t) => {
    const { photon, as } = await start(t, { slow: hash });
    const attempts = Array.from({ length: 5 }, (_, n) => as('slow', `wrong ${n}`));
    // One of them is answered: the next is being hashed.
    assert.equal(await Promise.race(attempts), 401);
    photon.crashThread('photon-passwords', 'terminate');
    await photon.event('password-thread-died');
    const statuses = (await Promise.all(attempts)).toSorted();
    // Where the machine is slow to end the thread, one more may have come to its end.
    assert.match(statuses.join(' '), /^401( 401)?( 503)+$/);
    let status = 503;
    while (status === 503) status = await as('slow', 'Hello world!');
    assert.equal(status, 200);
  });
}
