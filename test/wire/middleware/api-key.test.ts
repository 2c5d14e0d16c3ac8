import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ok, type ReceivedRequest } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

const KEY = 'a-key-of-alice-1';
const DIGEST = `sha256:${createHash('sha256').update('a-key-of-bob-22').digest('hex')}`;

const withKeys = (api_key: object): WireOptions => ({
  middleware: {
    authentication: { auth_type: 'api_key', api_key },
    transform: { request_headers: { set: { 'X-Consumer': '{consumer}' } } },
  },
  routes: [{ middleware: ['transform', 'authentication'] }],
});

const KEYS = { keys: [{ key: KEY, consumer: 'alice' }, 'nobody-in-particular'], consumers: { bob: [DIGEST] } };

async function expectPassed({ client, upstream }: WireContext, target: string, lines = ''): Promise<ReceivedRequest> {
  await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  const connection = await upstream.accept();
  const request = await connection.expectRequest();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  return request;
}

async function expectRefused({ client, upstream }: WireContext, target: string, lines = ''): Promise<void> {
  await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  await client.expectReply({ status: 401, headers: { 'www-authenticate': 'ApiKey' } });
  upstream.expectNoConnection();
}

for (const { key, consumer, why } of [
  { key: KEY, consumer: 'alice', why: 'a key as it is' },
  { key: 'a-key-of-bob-22', consumer: 'bob', why: 'a key of which only the digest is known' },
  { key: 'nobody-in-particular', consumer: '', why: 'a key of nobody in particular' },
]) {
  wire(`a request with a key passes, and the key goes no further: ${why}`, withKeys(KEYS), async (context) => {
    const { fields } = await expectPassed(context, '/', `X-API-Key: ${key}\r\n`);
    assert.equal(fields.get('x-api-key'), null);
    assert.equal(fields.get('x-consumer'), consumer);
  });
}

/** Their SHA-256 begin with the same four bytes. */
const ALIKE = ['key-of-somebody-16020', 'key-of-somebody-49278'] as const;

for (const [key, other] of [ALIKE, [ALIKE[1], ALIKE[0]] as const]) {
  wire(`a key with the digest of another but for its end is unknown: ${other}`, withKeys({ keys: [key] }), (context) =>
    expectRefused(context, '/', `X-API-Key: ${other}\r\n`),
  );
  wire(
    `of two keys with digests that begin alike each is itself: ${key}`,
    withKeys({ consumers: { [key]: key, [other]: other } }),
    async (context) => {
      const { fields } = await expectPassed(context, '/', `X-API-Key: ${key}\r\n`);
      assert.equal(fields.get('x-consumer'), key);
    },
  );
}

for (const { lines, why } of [
  { lines: '', why: 'no key' },
  { lines: 'X-API-Key: another-key-1234\r\n', why: 'an unknown key' },
  { lines: `X-API-Key: ${KEY}x\r\n`, why: 'a longer one' },
  { lines: `X-API-Key: ${KEY.slice(0, -1)}\r\n`, why: 'a shorter one' },
  { lines: `X-API-Key: ${KEY.toUpperCase()}\r\n`, why: 'keys have a case' },
  { lines: 'X-API-Key:\r\n', why: 'an empty one' },
  { lines: `X-API-Key: ${DIGEST}\r\n`, why: 'a digest opens nothing' },
  { lines: `X-API-Key: ${DIGEST.slice(7)}\r\n`, why: 'nor without its name' },
  { lines: `X-API-Key: ${KEY}\r\nX-API-Key: ${KEY}\r\n`, why: 'two of them' },
  { lines: `X-API-Key: ${'x'.repeat(20_000)}\r\n`, why: 'a huge one' },
  { lines: `X_API_Key: ${KEY}\r\n`, why: 'another header, which is alike only to CGI' },
  { lines: 'X-API-Key: __proto__\r\n', why: 'a name that objects have' },
]) {
  wire(`a request is refused with 401: ${why}`, withKeys(KEYS), (context) => expectRefused(context, '/', lines));
}

wire(
  'a key in the header does not count where it belongs into the query',
  withKeys({ ...KEYS, query: 'key' }),
  (context) => expectRefused(context, '/', `X-API-Key: ${KEY}\r\n`),
);

wire('a key in the query passes, and goes no further', withKeys({ ...KEYS, query: 'key' }), async (context) => {
  const { target, fields } = await expectPassed(context, `/a?x=1&k%65y=${KEY}&y=2`);
  assert.equal(target, '/a?x=1&y=2');
  assert.equal(fields.get('x-consumer'), 'alice');
});

wire(
  'two keys in the query are refused: the upstream might look at the other one',
  withKeys({ ...KEYS, query: 'key' }),
  (context) => expectRefused(context, `/a?key=${KEY}&key=${KEY}`),
);

const BOTH = { ...KEYS, header: 'X-Token', query: 'key' };

wire('the header goes first, and what is wrong there is not made good by the query', withKeys(BOTH), (context) =>
  expectRefused(context, `/a?key=${KEY}`, 'X-Token: wrong-key-1234\r\n'),
);

wire(
  'a key in a header with an underscore in its name goes no further either',
  withKeys({ ...KEYS, header: 'X_Key' }),
  async (context) => {
    const { fields } = await expectPassed(context, '/', `X_Key: ${KEY}\r\nX-Key: ${KEY}\r\n`);
    assert.doesNotMatch(fields.toString(), new RegExp(KEY));
  },
);

wire('a key that must not be stripped goes upstream', withKeys({ ...BOTH, strip: false }), async (context) => {
  const { target, fields } = await expectPassed(context, '/a?key=x', `X-Token: ${KEY}\r\n`);
  assert.equal(fields.get('x-token'), KEY);
  assert.equal(target, '/a?key=x');
});

wire(
  'a key that is refused stands neither in the reply nor in the log',
  withKeys(KEYS),
  async ({ client, gateway }) => {
    const secret = 'a-mistyped-secret-key';
    await client.send(`GET /?key=${secret} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${secret}\r\n\r\n`);
    const reply = await client.expectReply({ status: 401 });
    assert.doesNotMatch(JSON.stringify([reply.body.toString(), reply.fields.toString(), gateway.logLines]), /mistyped/);
  },
);

/** Characters of which nothing but their last byte is that of the character: in latin1 each of them is cut down to it. */
const DISGUISES = [0x100, 0x200, 0x1100, 0xff00].map((above) =>
  [...KEY].map((character) => String.fromCodePoint(above | character.charCodeAt(0))).join(''),
);

wire(
  'a key of characters that end in the bytes of a known key is unknown',
  withKeys({ ...KEYS, query: 'key' }),
  async (context) => {
    const { length } = KEY;
    const single = [...KEY].map((character, at) => {
      const disguised = encodeURIComponent(String.fromCodePoint(0x100 | character.charCodeAt(0)));
      return `${KEY.slice(0, at)}${disguised}${KEY.slice(at + 1, length)}`;
    });
    for (const key of [...DISGUISES.map(encodeURIComponent), ...single]) await expectRefused(context, `/a?key=${key}`);
  },
);

/** Of these bytes nobody is the owner but whoever has the digest of just them. */
const BYTES_DIGEST = `sha256:${createHash('sha256').update(Buffer.from('schl\u00fcssel-\u0173')).digest('hex')}`;
const BYTES = { consumers: { zo\u00eb: BYTES_DIGEST }, header: 'X-Key', query: 'key' };

for (const { target = '/', lines = '', why } of [
  { target: '/?key=schl%C3%BCssel-%C5%B3', why: 'in the query' },
  { target: '/?key=%73chl%c3%bcssel%2D%C5%b3', why: 'in the query, however it is written' },
  { lines: `X-Key: ${Buffer.from('schl\u00fcssel-\u0173').toString('latin1')}\r\n`, why: 'in a header' },
]) {
  wire(`a key that is not ASCII is its bytes in UTF-8: ${why}`, withKeys(BYTES), async (context) => {
    const { target: seen, fields } = await expectPassed(context, target, lines);
    assert.equal(fields.get('x-consumer'), 'zo%C3%AB');
    assert.equal(seen, '/');
  });
}

for (const { target = '/', lines = '', why } of [
  { target: '/?key=schl%FCssel-%C5%B3', why: 'another encoding in the query' },
  { lines: 'X-Key: schl\u00fcssel-s\r\n', why: 'another encoding in a header' },
  { target: '/?key=schl%25C3%25BCssel-%25C5%25B3', why: 'encoded twice' },
]) {
  wire(`a key that is not ASCII is its bytes in UTF-8 and no others: ${why}`, withKeys(BYTES), (context) =>
    expectRefused(context, target, lines),
  );
}
