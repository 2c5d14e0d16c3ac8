import assert from 'node:assert/strict';
import { SECRET, token } from '../../support/tokens.ts';
import { ok } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

const KEY = 'the-key-of-alice';
const OTHER_KEY = 'no-key-of-anybody';
const PASSWORD = Buffer.from('bob:nobody-knows').toString('base64');
const TOKEN = token();
const FORGED = token({ sub: 'admin' }, 'a secret that is not the one of the gateway');

/** Every place that a scheme may look at is one that a scheme of this route looks at. */
const guarded = ({ jwt = {}, api_key = {}, basic = {} }: Record<string, object>): WireOptions => ({
  middleware: {
    authentication: {
      auth_type: 'any',
      jwt: { secret: SECRET, cookie: 'session', query: 'token', ...jwt },
      api_key: { header: 'X-Key', query: 'key', keys: [KEY], ...api_key },
      basic: { users: { alice: '$5$saltsalt$RnRfAbmxmM8DtM7jJYEk3zTlgWxvKtLgi3CTFJvgYBA' }, ...basic },
    },
  },
  routes: [{ middleware: ['auth'] }],
});

/** The whole head that the upstream gets. */
async function sentUpstream({ client, upstream }: WireContext, target: string, lines: readonly string[]) {
  await client.send(`GET ${target} HTTP/1.1\r\n${['Host: a', ...lines].join('\r\n')}\r\n\r\n`);
  const connection = await upstream.accept();
  const request = await connection.expectRequest();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  return `${request.target}\n${request.fields.lines.map(([name, value]) => `${name}: ${value}`).join('\n')}`;
}

interface Row {
  readonly target?: string;
  readonly lines?: readonly string[];
  readonly options?: Record<string, object>;
  /** What must not be anywhere in the head that goes upstream. */
  readonly hidden: readonly string[];
  /** What must be there. */
  readonly shown?: readonly string[];
  readonly why: string;
}

const STRIP = { jwt: { strip: true } };

const ROWS: readonly Row[] = [
  {
    target: `/a?x=1&key=${KEY}&y=2`,
    lines: [`Authorization: Bearer ${TOKEN}`],
    hidden: [KEY],
    shown: [TOKEN, '/a?x=1&y=2\n'],
    why: 'a good key in the query beside a good token',
  },
  {
    target: `/a?k%65y=${OTHER_KEY}&key=${KEY}`,
    lines: [`Authorization: Bearer ${TOKEN}`],
    hidden: [KEY, OTHER_KEY],
    shown: ['/a\n'],
    why: 'two keys in the query, which nobody looked at',
  },
  {
    target: `/a?key=${KEY}`,
    lines: [`X-Key: ${KEY}`],
    hidden: [KEY],
    why: 'a key in the query beside the same in the header',
  },
  {
    lines: [`X-Key: ${OTHER_KEY}`, `X_Key: ${KEY}`, `Authorization: Bearer ${TOKEN}`],
    hidden: [KEY, OTHER_KEY],
    why: 'keys in headers beside a good token',
  },
  {
    target: `/a?key=${KEY}`,
    lines: [`Cookie: session=${TOKEN}`],
    hidden: [KEY],
    shown: [`Cookie: session=${TOKEN}`],
    why: 'a key in the query beside a good token in a cookie',
  },
  {
    target: `/a?token=${TOKEN}&key=${KEY}`,
    hidden: [KEY],
    shown: [`/a?token=${TOKEN}\n`],
    why: 'a key in the query beside a good token there',
  },
  {
    target: `/a?key=${KEY}`,
    lines: [`Authorization: Bearer ${TOKEN}`],
    options: { api_key: { strip: false } },
    hidden: [],
    shown: [`/a?key=${KEY}\n`],
    why: 'a key that must not be stripped stays',
  },
  {
    lines: [`X-Key: ${KEY}`, `Authorization: Basic ${PASSWORD}`],
    hidden: [KEY, PASSWORD],
    why: 'a password beside a good key',
  },
  {
    lines: [`Cookie: session=${TOKEN}`, `Authorization: basic   ${PASSWORD}`],
    hidden: [PASSWORD],
    shown: [TOKEN],
    why: 'a password beside a good token in a cookie',
  },
  {
    lines: [`X-Key: ${KEY}`, `Authorization: Basic ${PASSWORD}`],
    options: { basic: { strip: false } },
    hidden: [KEY],
    shown: [PASSWORD],
    why: 'a password that must not be stripped stays',
  },
  {
    lines: [`Authorization: Bearer ${TOKEN}`],
    options: STRIP,
    hidden: [TOKEN, 'Authorization'],
    why: 'a token in Authorization',
  },
  {
    target: `/a?token=${FORGED}&x=1`,
    lines: [
      `Authorization: Bearer ${TOKEN}`,
      `Cookie: a=b; session=${FORGED}; c=d`,
      `Cookie: session = ${FORGED}; e=f;`,
    ],
    options: STRIP,
    hidden: [TOKEN, FORGED, 'session'],
    shown: ['/a?x=1\n', 'Cookie: a=b; c=d; e=f'],
    why: 'tokens in places that nobody looked at beside a good one',
  },
  {
    lines: [`X-Token: ${TOKEN}`, `X_Token: ${FORGED}`, `Cookie: session=${FORGED}`],
    options: { jwt: { strip: true, header: 'X-Token' } },
    hidden: [TOKEN, FORGED, 'Cookie'],
    why: 'a token in a header of its own, and the only cookie',
  },
  {
    lines: [`X-Token: Bearer ${TOKEN}`, 'Authorization: Digest username="carol"', 'Cookie: sessions=1; xsession=2'],
    options: { jwt: { strip: true, header: 'X-Token' } },
    hidden: [TOKEN],
    shown: ['Authorization: Digest username="carol"', 'Cookie: sessions=1; xsession=2'],
    why: 'what no scheme of the route reads stays',
  },
];

for (const { target = '/a', lines = [], options = {}, hidden, shown = [], why } of ROWS) {
  wire(
    `what a scheme reads goes upstream as configured, whichever let the client in: ${why}`,
    guarded(options),
    async (context) => {
      const head = await sentUpstream(context, target, lines);
      for (const text of hidden) assert.ok(!head.includes(text), `${text} went upstream:\n${head}`);
      for (const text of shown) assert.ok(head.includes(text), `${text} did not go upstream:\n${head}`);
    },
  );
}

for (const { lines, why } of [
  {
    lines: [`X-Key: ${KEY}`, 'Authorization: Digest x', `Authorization: Bearer ${FORGED}`],
    why: 'a token in the second',
  },
  {
    lines: [`X-Key: ${KEY}`, `Authorization: Bearer ${TOKEN}`, 'Authorization: Digest x'],
    why: 'a good token in the first',
  },
  { lines: ['Authorization: Digest x', `Authorization: Basic ${PASSWORD}`], why: 'a password in the second' },
]) {
  wire(
    `of two fields of Authorization none counts, and no scheme is asked after that: ${why}`,
    guarded({}),
    async (context) => {
      const { client, upstream } = context;
      await client.send(`GET /a HTTP/1.1\r\n${['Host: a', ...lines].join('\r\n')}\r\n\r\n`);
      await client.expectStatus(401);
      upstream.expectNoConnection();
    },
  );
}

wire(
  'a scheme that the route does not use hides nothing',
  {
    middleware: {
      authentication: {
        auth_type: 'jwt',
        jwt: { secret: SECRET },
        api_key: { query: 'key', keys: [KEY] },
      },
    },
    routes: [{ middleware: ['auth'] }],
  },
  async (context) => {
    const head = await sentUpstream(context, `/a?key=${KEY}`, [`Authorization: Bearer ${TOKEN}`]);
    assert.ok(head.startsWith(`/a?key=${KEY}\n`), head);
  },
);
