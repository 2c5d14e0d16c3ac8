import assert from 'node:assert/strict';
import type { Reply } from '../../support/client.ts';
import { DECODERS, decoded } from '../../support/content-codings.ts';
import { chunked } from '../../support/message.ts';
import { ok } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

/** Some JSON of about `bytes` bytes, every byte value from 0x20 up in it. */
function json(bytes: number): string {
  const items: string[] = [];
  for (let at = 0, length = 0; length < bytes; at++) {
    const odd = String.fromCharCode(0x20 + (at % 0xe0)).replace(/["\\]/, '?');
    const item = JSON.stringify({ id: at, name: `user ${(at * 7919) % 1000}`, odd });
    items.push(item);
    length += item.length + 1;
  }
  return `[${items.join(',')}]`;
}

const BODY = json(3000);
const JSON_TYPE = 'Content-Type: application/json';

const compressing = (compress: object = {}, more: object = {}, others: readonly string[] = []): WireOptions => ({
  middleware: { compress, ...more },
  routes: [{ path: '/**', middleware: ['compress', ...others], retries: 0 }],
});

interface Question {
  readonly method?: string;
  readonly accept?: string | null;
  readonly lines?: readonly string[];
  readonly version?: string;
}

async function ask({ client }: WireContext, question: Question, target = '/x'): Promise<Reply> {
  const { method = 'GET', accept = 'gzip', lines = [], version = '1.1' } = question;
  const all = ['Host: a.example', ...(accept === null ? [] : [`Accept-Encoding: ${accept}`]), ...lines];
  await client.send(`${method} ${target} HTTP/${version}\r\n${all.join('\r\n')}\r\n\r\n`);
  return client.expectReply({ toHead: method === 'HEAD' });
}

/** The reply to one question, where the upstream says `reply`. */
async function asked(context: WireContext, question: Question, reply: string): Promise<Reply> {
  context.upstream.answerAll(() => reply);
  return ask(context, question);
}

function assertBody(reply: Reply, body: string): void {
  assert.equal(decoded(reply.fields.get('content-encoding'), reply.body), body);
}

const pieces = (body: string): string[] =>
  Array.from({ length: Math.ceil(body.length / 7000) }, (_none, at) => body.slice(at * 7000, (at + 1) * 7000));

const chunkedReply = (body: string, ...lines: string[]): string =>
  `${['HTTP/1.1 200 OK', ...lines, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n${chunked(pieces(body))}`;

// --- the bytes ---------------------------------------------------------------------------------------------------------

for (const { coding } of DECODERS) {
  for (const bytes of [1100, 16_000, 17_000, 300_000]) {
    const body = json(bytes);
    for (const [how, reply] of [
      ['a length', ok(body, JSON_TYPE)],
      ['chunks', chunkedReply(body, JSON_TYPE)],
      ['the end of the connection', `HTTP/1.1 200 OK\r\n${JSON_TYPE}\r\n\r\n${body}`],
    ] as const) {
      wire(`${coding}: ${bytes} bytes with ${how} come out byte for byte`, compressing(), async (context) => {
        context.upstream.answerAll((_request, connection) => {
          if (how === 'the end of the connection') setImmediate(() => connection.end());
          return reply;
        });
        for (let round = 0; round < 2; round++) {
          const reply = await ask(context, { accept: coding });
          assert.equal(reply.fields.get('content-encoding'), coding);
          assert.deepEqual([reply.framing, reply.fields.get('content-length')], ['chunked', null]);
          assertBody(reply, body);
          assert.ok(reply.body.length < body.length / 2, `${reply.body.length} of ${body.length} bytes`);
        }
      });
    }
  }

  for (const level of [1, 4, 9]) {
    wire(`${coding} at level ${level} is something that decodes`, compressing({ level }), async (context) => {
      for (const bytes of [2000, 200_000]) {
        const body = json(bytes);
        assertBody(await asked(context, { accept: coding }, ok(body, JSON_TYPE)), body);
      }
    });
  }

  wire(`${coding}: a body that comes byte by byte is one body`, compressing(), async (context) => {
    const sending = ask(context, { accept: coding });
    const connection = await context.upstream.accept();
    await connection.expectHead();
    await connection.sendBytewise(ok('abcdefghij'.repeat(10), 'Content-Type: text/plain').replace('100', '2000'));
    await connection.send('x'.repeat(1900));
    assertBody(await sending, `${'abcdefghij'.repeat(10)}${'x'.repeat(1900)}`);
  });

  wire(`${coding}: an HTTP/1.0 client gets it up to the end of the connection`, compressing(), async (context) => {
    const lines = ['Connection: keep-alive'];
    const reply = await asked(context, { accept: coding, version: '1.0', lines }, ok(BODY, JSON_TYPE));
    assert.deepEqual([reply.framing, reply.fields.get('connection')], ['close', 'close']);
    assertBody(reply, BODY);
  });

  wire(`${coding}: a body of no bytes and no length is one too`, compressing(), async (context) => {
    assertBody(await asked(context, { accept: coding }, chunkedReply('', JSON_TYPE)), '');
  });
}

wire('the client chooses, and among equals the order of the configuration', compressing(), async (context) => {
  context.upstream.answerAll(() => ok(BODY, JSON_TYPE));
  for (const [accept, coding] of [
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['gzip, br;q=0.9', 'gzip'],
    ['*;q=0.1', 'zstd'],
    ['gzip;q=0, identity', null],
    ['gzip, deflate, br, zstd', 'zstd'],
    [null, null],
  ] as const) {
    const reply = await ask(context, { accept });
    assert.deepEqual([accept, reply.fields.get('content-encoding')], [accept, coding]);
    assertBody(reply, BODY);
  }
});

wire('only the codings of the configuration are used', compressing({ encodings: ['gzip'] }), async (context) => {
  const reply = await asked(context, { accept: 'br, zstd, gzip;q=0.1' }, ok(BODY, JSON_TYPE));
  assert.equal(reply.fields.get('content-encoding'), 'gzip');
});

wire('Accept-Encoding in two lines is one list', compressing(), async (context) => {
  const reply = await asked(context, { accept: 'deflate', lines: ['Accept-Encoding: br'] }, ok(BODY, JSON_TYPE));
  assert.equal(reply.fields.get('content-encoding'), 'br');
});

// --- what is coded, and what is said of it -----------------------------------------------------------------------------

interface Case {
  readonly why: string;
  readonly reply: string;
  readonly question?: Question;
  readonly coded: boolean;
  /** Vary: Accept-Encoding is added. */
  readonly varies: boolean;
}

const withStatus = (status: string, reply: string): string => reply.replace('200 OK', status);

const CASES: readonly Case[] = [
  { why: 'a text', reply: ok(BODY, 'Content-Type: text/html; charset=utf-8'), coded: true, varies: true },
  { why: 'a type in capitals', reply: ok(BODY, 'content-type: Application/JSON'), coded: true, varies: true },
  { why: 'a picture', reply: ok(BODY, 'Content-Type: image/png'), coded: false, varies: false },
  {
    why: 'a type that only begins alike',
    reply: ok(BODY, 'Content-Type: application/jsonp'),
    coded: false,
    varies: false,
  },
  { why: 'a type that is none', reply: ok(BODY, 'Content-Type: text'), coded: false, varies: false },
  { why: 'no type', reply: ok(BODY), coded: false, varies: false },
  { why: 'two types', reply: ok(BODY, JSON_TYPE, 'Content-Type: text/plain'), coded: false, varies: false },
  { why: 'a small body', reply: ok('x'.repeat(1023), JSON_TYPE), coded: false, varies: false },
  { why: 'a body just large enough', reply: ok('x'.repeat(1024), JSON_TYPE), coded: true, varies: true },
  { why: 'a small body of no known length', reply: chunkedReply('small', JSON_TYPE), coded: true, varies: true },
  { why: 'an error', reply: withStatus('500 Oh', ok(BODY, JSON_TYPE)), coded: true, varies: true },
  { why: 'one that is coded already', reply: ok(BODY, JSON_TYPE, 'Content-Encoding: br'), coded: false, varies: false },
  { why: 'one in an unknown coding', reply: ok(BODY, JSON_TYPE, 'Content-Encoding: dcb'), coded: false, varies: false },
  {
    why: 'one that says it is not',
    reply: ok(BODY, JSON_TYPE, 'Content-Encoding: Identity'),
    coded: true,
    varies: true,
  },
  {
    why: 'one that nobody may change',
    reply: ok(BODY, JSON_TYPE, 'Cache-Control: public, No-Transform'),
    coded: false,
    varies: false,
  },
  {
    why: 'a client that wants nothing changed',
    reply: ok(BODY, JSON_TYPE),
    question: { lines: ['Cache-Control: no-transform'] },
    coded: false,
    varies: true,
  },
  {
    why: 'a client that asks for no coding',
    reply: ok(BODY, JSON_TYPE),
    question: { accept: null },
    coded: false,
    varies: true,
  },
  {
    why: 'a client with other codings',
    reply: ok(BODY, JSON_TYPE),
    question: { accept: 'deflate' },
    coded: false,
    varies: true,
  },
  {
    why: 'a part',
    reply: withStatus('206 Partial Content', ok(BODY, JSON_TYPE, 'Content-Range: bytes 0-3000/9000')),
    coded: false,
    varies: true,
  },
  {
    why: 'a small part of something large',
    reply: withStatus('206 Partial Content', ok('part', JSON_TYPE, 'Content-Range: bytes 0-3/9000')),
    coded: false,
    varies: true,
  },
  {
    why: 'a range that there is not',
    reply: withStatus('416 No', ok(BODY, JSON_TYPE, 'Content-Range: bytes */47')),
    coded: false,
    varies: true,
  },
  { why: 'no body', reply: `HTTP/1.1 204 No Content\r\n${JSON_TYPE}\r\n\r\n`, coded: false, varies: false },
];

for (const { why, reply: sent, question = {}, coded, varies } of CASES) {
  wire(`${why}: ${coded ? 'coded' : 'as it is'}${varies ? ', varies' : ''}`, compressing(), async (context) => {
    const reply = await asked(context, question, sent);
    if (coded) assert.equal(reply.fields.get('content-encoding'), 'gzip');
    else assert.equal(reply.body, sent.slice(sent.indexOf('\r\n\r\n') + 4));
    assert.equal(reply.fields.get('vary'), varies ? 'Accept-Encoding' : null);
    const head = await ask(context, { ...question, method: 'HEAD' });
    const lines = (of: Reply) =>
      String(of.fields)
        .split('\n')
        .filter((line) => !/^(?:date|x-request-id|transfer-encoding):/i.test(line));
    assert.deepEqual(lines(head), lines(reply), 'HEAD has the head of GET');
  });
}

for (const { vary, want, why } of [
  { vary: ['Vary: Origin'], want: 'Origin, Accept-Encoding', why: 'beside what is there' },
  { vary: ['Vary: origin, ACCEPT-encoding'], want: 'origin, ACCEPT-encoding', why: 'not twice' },
  { vary: ['Vary: a', 'Vary: Accept-Encoding'], want: 'a, Accept-Encoding', why: 'in another line' },
  { vary: ['Vary: *'], want: '*', why: 'everything is everything' },
  { vary: ['Vary: X-Accept-Encoding'], want: 'X-Accept-Encoding, Accept-Encoding', why: 'another name' },
]) {
  for (const accept of ['gzip', null]) {
    wire(`Vary, ${accept === null ? 'as it is' : 'coded'}: ${why}`, compressing(), async (context) => {
      const reply = await asked(context, { accept }, ok(BODY, JSON_TYPE, ...vary));
      assert.equal(reply.fields.get('vary'), want);
    });
  }
}

for (const { sent, coded } of [
  { sent: '"abc"', coded: 'W/"abc"' },
  { sent: 'W/"abc"', coded: 'W/"abc"' },
  { sent: 'abc', coded: null },
]) {
  wire(`the tag ${sent} of the upstream is ${coded} of the coded body`, compressing(), async (context) => {
    context.upstream.answerAll(() => ok(BODY, JSON_TYPE, `ETag: ${sent}`));
    assert.equal((await ask(context, {})).fields.get('etag'), coded);
    assert.equal((await ask(context, { method: 'HEAD' })).fields.get('etag'), coded);
    assert.equal((await ask(context, { accept: null })).fields.get('etag'), sent);
  });
}

wire('what holds for the bytes of the identity is not said of the coded body', compressing(), async (context) => {
  const lines = [
    'Accept-Ranges: bytes',
    'Content-MD5: a',
    'Digest: sha-256=a',
    'Content-Digest: a=:a:',
    'Repr-Digest: a=:a:',
  ];
  context.upstream.answerAll(() => ok(BODY, JSON_TYPE, 'Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT', ...lines));
  for (const accept of ['gzip', null]) {
    const { fields } = await ask(context, { accept });
    for (const line of lines) {
      const [name = '', value = ''] = line.split(': ');
      assert.equal(fields.get(name), accept === null ? value : null, name);
    }
    assert.notEqual(fields.get('last-modified'), null);
  }
});

// --- validation --------------------------------------------------------------------------------------------------------

/** An origin that compares tags weakly, as RFC 9110 13.1.2 says. */
function answerByTag({ upstream }: WireContext, ...lines: string[]): void {
  upstream.answerAll(({ fields }) => {
    const held = fields.get('if-none-match') ?? '';
    if (held.includes('"v1"')) return `HTTP/1.1 304 Not Modified\r\n${['ETag: "v1"', ...lines].join('\r\n')}\r\n\r\n`;
    return ok(BODY, JSON_TYPE, 'ETag: "v1"');
  });
}

wire(
  'a client that asks again with the tag of the coded body gets 304 with that tag',
  compressing(),
  async (context) => {
    answerByTag(context);
    const first = await ask(context, { accept: 'br' });
    const tag = first.fields.get('etag') ?? '';
    assert.equal(tag, 'W/"v1"');
    for (const method of ['GET', 'HEAD']) {
      const again = await ask(context, { method, accept: 'br', lines: [`If-None-Match: ${tag}`] });
      assert.equal(again.status, 304);
      assert.deepEqual([again.fields.get('etag'), again.fields.get('vary')], [tag, 'Accept-Encoding']);
      assert.equal(again.fields.get('content-encoding'), null);
    }
  },
);

for (const { held, accept, etag, why } of [
  { held: '"v1"', accept: 'gzip', etag: '"v1"', why: 'it holds the identity' },
  { held: '"v1"', accept: null, etag: '"v1"', why: 'it holds the identity' },
  { held: 'W/"v0", W/"v1"', accept: null, etag: 'W/"v1"', why: 'it holds a coded one' },
  { held: '"v1", W/"v1"', accept: 'gzip', etag: 'W/"v1"', why: 'it holds both, and wants the coded one' },
  { held: '"v1", W/"v1"', accept: null, etag: '"v1"', why: 'it holds both, and wants the identity' },
]) {
  wire(
    `304 to ${held}, ${accept ?? 'nothing'} accepted, has the tag ${etag}: ${why}`,
    compressing(),
    async (context) => {
      answerByTag(context);
      const reply = await ask(context, { accept, lines: [`If-None-Match: ${held}`] });
      assert.deepEqual([reply.status, reply.fields.get('etag')], [304, etag]);
      assert.equal(reply.fields.get('vary'), etag.startsWith('W/') ? 'Accept-Encoding' : null);
    },
  );
}

wire('304 for a body that the upstream codes itself stays as it is', compressing(), async (context) => {
  answerByTag(context, 'Content-Encoding: gzip');
  const { fields } = await ask(context, { lines: ['If-None-Match: W/"v1"'] });
  assert.deepEqual([fields.get('etag'), fields.get('vary')], ['"v1"', null]);
});

// --- with others -------------------------------------------------------------------------------------------------------

const transforming = (set: object) => compressing({}, { transform: { response_headers: { set } } }, ['transform']);

for (const { why, set, coded, etag } of [
  { why: 'a type that is set counts', set: { 'Content-Type': 'image/png' }, coded: false, etag: '"v1"' },
  { why: 'no-transform that is set counts', set: { 'Cache-Control': 'no-transform' }, coded: false, etag: '"v1"' },
  { why: 'a coding that is set counts', set: { 'Content-Encoding': 'br' }, coded: false, etag: '"v1"' },
  { why: 'a tag that is set becomes weak', set: { ETag: '"ours"' }, coded: true, etag: 'W/"ours"' },
  { why: 'Vary that is set stays', set: { Vary: 'Accept-Encoding' }, coded: true, etag: 'W/"v1"' },
]) {
  wire(`transform and compress: ${why}`, transforming(set), async (context) => {
    const reply = await asked(context, { accept: 'gzip' }, ok(BODY, JSON_TYPE, 'ETag: "v1"'));
    assert.equal(reply.fields.get('content-encoding') === 'gzip', coded);
    assert.equal(reply.fields.get('etag'), etag);
    assert.equal(reply.fields.all('vary').length, coded ? 1 : reply.fields.all('vary').length);
    assert.equal(coded ? decoded('gzip', reply.body) : reply.body, BODY);
  });
}

wire(
  'Vary of CORS and of compression stand side by side',
  compressing({}, { cors: { allowed_origins: ['https://a.example'] } }, ['cors']),
  async (context) => {
    const reply = await asked(context, { lines: ['Origin: https://a.example'] }, ok(BODY, JSON_TYPE));
    assert.deepEqual(reply.fields.all('vary'), ['Origin', 'Accept-Encoding']);
    assertBody(reply, BODY);
  },
);

const responding = (respond: object) => compressing({}, { respond }, ['respond']);

wire(
  'a reply of the gateway itself is coded too, its tag weak',
  responding({ body: BODY, content_type: 'application/json', headers: { ETag: '"fixed"' } }),
  async (context) => {
    const reply = await ask(context, { accept: 'zstd' });
    assert.deepEqual([reply.fields.get('content-encoding'), reply.fields.all('etag')], ['zstd', ['W/"fixed"']]);
    assert.equal(Buffer.from(decoded('zstd', reply.body), 'latin1').toString(), BODY);
    const head = await ask(context, { accept: 'zstd', method: 'HEAD' });
    assert.deepEqual([head.fields.get('content-encoding'), head.fields.get('content-length')], ['zstd', null]);
    context.upstream.expectNoConnection();
  },
);

wire('a small reply of the gateway stays as it is', compressing(), async (context) => {
  const { client, upstream } = context;
  await client.send('GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.reset();
  await client.expectReply({ status: 502, framing: 'length', headers: { 'content-encoding': null, vary: null } });
});

wire('an error of the gateway is coded where it is large enough', compressing({ min_size: 10 }), async (context) => {
  const { client, upstream } = context;
  await client.send('GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.reset();
  const reply = await client.expectReply({ status: 502, headers: { 'content-encoding': 'gzip' } });
  assert.equal(JSON.parse(decoded('gzip', reply.body)).status, 502);
});

wire(
  'a large body of the gateway itself does not hold everything else up',
  responding({ body: json(300_000) }),
  async (context) => {
    const reply = await ask(context, {});
    assert.deepEqual([reply.fields.get('content-encoding'), reply.framing], [null, 'length']);
  },
);

wire('trailers pass behind a coded body, save those that speak of its bytes', compressing(), async (context) => {
  const sent = `HTTP/1.1 200 OK\r\n${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked([BODY, BODY], ['X-Sum: 1', 'Content-Digest: a=:a:'])}`;
  for (const big of [false, true]) {
    const reply = await asked(
      context,
      {},
      big ? sent.replace('\r\n\r\n', `\r\n\r\n4e20\r\n${'y'.repeat(20_000)}\r\n`) : sent,
    );
    assertBody(reply, `${big ? 'y'.repeat(20_000) : ''}${BODY}${BODY}`);
    assert.deepEqual([reply.trailers.get('x-sum'), reply.trailers.get('content-digest')], ['1', null]);
  }
});

wire('pipelined requests get their replies in order, coded or not', compressing(), async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(({ target }) =>
    ok(target + json(30_000), target === '/b' ? 'Content-Type: image/png' : JSON_TYPE),
  );
  const one = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n`;
  await client.send(one('/a') + one('/b') + one('/c') + one('/b') + one('/a'));
  for (const target of ['/a', '/b', '/c', '/b', '/a']) {
    const reply = await client.expectReply({ status: 200 });
    assertBody(reply, target + json(30_000));
  }
});

wire(
  'the access log counts the bytes that went out',
  { ...compressing(), accessLog: { enabled: true } },
  async (context) => {
    const reply = await asked(context, {}, ok(BODY, JSON_TYPE));
    context.gateway.plane.flushAccessLog();
    const lines = context.gateway.accessLines().map((line) => JSON.parse(line));
    assert.equal(lines.length, 1);
    assert.ok(Object.values(lines[0]).includes(reply.body.length), JSON.stringify(lines[0]));
  },
);
