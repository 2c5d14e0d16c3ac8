import assert from 'node:assert/strict';
import { MAX_WAITING_PASSWORDS } from '../../../src/memory/password-queue.ts';
import { ClientFactory, type WireClient } from '../../support/client.ts';
import { eventually } from '../../support/guard.ts';
import { PasswordOffice } from '../../support/passwords.ts';
import { SECRET, token } from '../../support/tokens.ts';
import { ok, type ReceivedRequest } from '../../support/upstream.ts';
import { type WireContext, wire } from '../../support/wire.ts';

const ALICE = '$2b$06$DCq7YPn5Rq63x1Lad4cll.BBaWUAEuHo86gMlyAVujA05PWJTsZ02';
const BOB =
  '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0';
const CHALLENGE = 'Basic realm="Staff", charset="UTF-8"';
const KEY = 'a-key-of-somebody';

const guarded = (passwords: PasswordOffice, options: object = {}, more: object = {}) => ({
  passwords,
  middleware: {
    authentication: {
      auth_type: 'basic',
      basic: { users: { alice: ALICE, bøb: BOB }, realm: 'Staff', ...options },
      ...more,
    },
    transform: { request_headers: { set: { 'X-Consumer': '{consumer}' } } },
  },
  routes: [{ middleware: ['auth', 'transform'] }],
});

const basic = (text: string): string => `Authorization: Basic ${Buffer.from(text, 'utf8').toString('base64')}\r\n`;
const get = (lines: string): string => `GET /x HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;

async function letIn({ client, upstream }: WireContext, lines: string): Promise<ReceivedRequest> {
  await client.send(get(lines));
  const connection = await upstream.accept();
  const request = await connection.expectRequest();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  return request;
}

async function expectRefused({ client, upstream }: WireContext, lines: string): Promise<void> {
  await client.send(get(lines));
  const { fields } = await client.expectStatus(401);
  assert.equal(fields.get('www-authenticate'), CHALLENGE);
  upstream.expectNoConnection();
}

/** An office where this password alone is right, with all hashes. */
const rightIs = (right: string) => new PasswordOffice(({ password }) => password === right);

for (const name of ['alice', 'bøb']) {
  const office = rightIs('pä:ss');
  wire(
    `${name} with the password passes, by name, and the password goes no further`,
    guarded(office),
    async (context) => {
      const { fields } = await letIn(context, basic(`${name}:pä:ss`));
      assert.equal(fields.get('x-consumer'), name === 'alice' ? 'alice' : 'b%C3%B8b');
      assert.equal(fields.get('authorization'), null);
      assert.equal(office.requests[0]?.hash, name === 'alice' ? ALICE : BOB);
    },
  );
}

const open = rightIs('pw');
wire('with strip: false the upstream gets what the client sent', guarded(open, { strip: false }), async (context) => {
  const { fields } = await letIn(context, basic('alice:pw'));
  assert.equal(fields.get('authorization'), 'Basic YWxpY2U6cHc=');
});

for (const { lines, hashes, why } of [
  { lines: '', hashes: 0, why: 'nothing shown' },
  { lines: 'Authorization: Bearer a.b.c\r\n', hashes: 0, why: 'another scheme' },
  { lines: `${basic('alice:pw')}${basic('alice:pw')}`, hashes: 0, why: 'RFC 9110 11.6.2: two fields' },
  { lines: `Authorization: Basic YWxpY2U6cHc\r\n`, hashes: 0, why: 'RFC 4648 3.2: no padding' },
  { lines: basic('alice:no'), hashes: 1, why: 'a wrong password' },
  { lines: basic('eve:pw'), hashes: 1, why: 'an unknown user costs one hash, too, whatever comes out' },
  { lines: basic('__proto__:pw'), hashes: 1, why: 'a name that objects have' },
  { lines: basic('Alice:pw'), hashes: 1, why: 'names have a case' },
]) {
  const office = rightIs('pw');
  wire(`a request gets 401: ${why}`, guarded(office), async (context) => {
    await expectRefused(context, lines);
    assert.equal(office.requests.length, hashes);
    if (hashes === 0) return;
    const { hash = '' } = office.requests[0] ?? {};
    assert.ok(
      [ALICE, BOB].some((known) => hash.length === known.length),
      'of the kind of a known one',
    );
    assert.ok(lines.includes('YWxpY2U6bm8=') ? hash === ALICE : ![ALICE, BOB].includes(hash));
  });
}

const shared = new PasswordOffice();
wire(
  '100 requests with one password at once, in two workers, cost one hash',
  { ...guarded(shared), workers: 2 },
  async ({ gateway, client, upstream }) => {
    const other = await gateway.beside(1);
    const secure = process.env['PHOTON_WIRE_TLS'] === '1';
    const factories = [gateway, other].map(({ port }) => new ClientFactory(port, secure, ''));
    const clients: WireClient[] = [];
    for (let n = 0; n < 100; n++)
      clients.push(await (factories[n % 2] as (typeof factories)[0]).connect({ tls: undefined }));
    for (const each of clients) await each.send(get(basic('alice:pw')));
    await eventually(
      'all to wait',
      () => gateway.plane.activeExchanges + other.plane.activeExchanges === 100,
      () => '',
    );
    await eventually(
      'a hash',
      () => shared.requests.length === 1,
      () => `${shared.requests.length}`,
    );
    shared.answer(false);
    for (const each of clients) await each.expectStatus(401);
    assert.equal(shared.requests.length, 1);
    for (const each of clients) await each.dispose();
    other.plane.close();
    client.reset();
    upstream.expectNoConnection();
  },
);

const kept = rightIs('pw');
wire('a password that was right is not hashed again, nor asked about', guarded(kept), async ({ client, upstream }) => {
  await client.send(get(basic('alice:pw')));
  const connection = await upstream.accept();
  for (const last of [false, true]) {
    await connection.expectRequest();
    await connection.send(ok('yes'));
    await client.expectStatus(200);
    if (!last) await client.send(get(basic('alice:pw')));
  }
  assert.equal(kept.requests.length, 1);
});

const changing = rightIs('pw');
wire('another hash of the user makes the old password worthless at once', guarded(changing), async (context) => {
  await letIn(context, basic('alice:pw'));
  const { gateway, client } = context;
  const other = ALICE.replace('BBaW', 'CCaW');
  gateway.prepare(guarded(changing, { users: { alice: other } }));
  gateway.plane.commit();
  await client.send(get(basic('alice:pw')));
  await eventually(
    'a hash',
    () => changing.requests.length === 2,
    () => '',
  );
  assert.equal(changing.requests[1]?.hash, other);
});

const full = new PasswordOffice();
wire('when 64 wait the next gets 503 and when to come again; who waits is answered', guarded(full), async (context) => {
  const { client, gateway, upstream } = context;
  for (let n = 0; n <= MAX_WAITING_PASSWORDS; n++) {
    full.queue.ask(7, { digest: `d${n}`, hash: ALICE, password: `${n}` });
  }
  await client.send(get(basic('alice:pw')));
  const { fields } = await client.expectStatus(503);
  assert.match(fields.get('retry-after') ?? '', /^[1-9]\d*$/);
  full.answer(false);
  await client.send(get(basic('alice:pw')));
  await eventually(
    'it to wait',
    () => gateway.plane.activeExchanges === 1,
    () => '',
  );
  assert.deepEqual(full.events, []);
  for (let n = 0; n <= MAX_WAITING_PASSWORDS; n++) {
    await eventually(
      'the next',
      () => full.requests.length === Math.min(n + 2, MAX_WAITING_PASSWORDS + 2),
      () => '',
    );
    full.answer(false);
  }
  await client.expectStatus(401);
  upstream.expectNoConnection();
});

const dying = new PasswordOffice();
wire('when the thread dies who waits gets 503, and it is replaced', guarded(dying), async ({ client, upstream }) => {
  await client.send(get(basic('alice:pw')));
  await eventually(
    'a hash',
    () => dying.requests.length === 1,
    () => '',
  );
  dying.die();
  await client.expectStatus(503);
  await eventually(
    'another thread',
    () => dying.starts === 2,
    () => '',
  );
  assert.deepEqual(dying.events, ['password-thread-died']);
  await client.send(get(basic('alice:pw')));
  await eventually(
    'a hash',
    () => dying.requests.length === 2,
    () => '',
  );
  dying.answer(false);
  await client.expectStatus(401);
  upstream.expectNoConnection();
});

const left = new PasswordOffice();
wire('a client that leaves while its password is hashed leaves nothing behind', guarded(left), async (context) => {
  const { client, gateway, upstream } = context;
  await client.send(get(basic('alice:pw')));
  await eventually(
    'a hash',
    () => left.requests.length === 1,
    () => '',
  );
  client.reset();
  await eventually(
    'the end',
    () => gateway.plane.activeExchanges === 0,
    () => '',
  );
  left.answer(true);
  upstream.expectNoConnection();
});

const several = rightIs('pw');
const any = guarded(several, {}, { auth_type: 'any', jwt: { secret: SECRET }, api_key: { keys: [KEY] } });

wire('beside a key that lets in, a password does not go upstream either', any, async (context) => {
  const { fields } = await letIn(context, `X-API-Key: ${KEY}\r\n${basic('eve:secret')}`);
  assert.equal(fields.get('authorization'), null);
});

wire('of any way a token goes on as it came, though passwords do not', any, async (context) => {
  const text = token();
  const { fields } = await letIn(context, `Authorization: Bearer ${text}\r\n`);
  assert.equal(fields.get('authorization'), `Bearer ${text}`);
});

wire('of any way a password lets in', any, async (context) => {
  const { fields } = await letIn(context, basic('alice:pw'));
  assert.equal(fields.get('x-consumer'), 'alice');
});
