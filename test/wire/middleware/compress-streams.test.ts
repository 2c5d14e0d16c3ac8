import assert from 'node:assert/strict';
import type { Transform } from 'node:stream';
import { CodedBody } from '../../../src/pipeline/coded-body.ts';
import type { WireClient } from '../../support/client.ts';
import { DECODERS, decoded } from '../../support/content-codings.ts';
import { bufferBytes } from '../../support/garbage.ts';
import { eventually, settle } from '../../support/guard.ts';
import { ok, type UpstreamConnection } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

const MIB = 1024 * 1024;
const TEXT = 'Content-Type: text/plain';

const compressing = (route: object = {}, more: Partial<WireOptions> = {}): WireOptions => ({
  middleware: { compress: {} },
  routes: [{ path: '/**', middleware: ['compress'], retries: 0, ...route }],
  ...more,
});

const get = (coding = 'gzip', version = '1.1'): string =>
  `GET /x HTTP/${version}\r\nHost: a.example\r\nAccept-Encoding: ${coding}\r\n\r\n`;

const CHUNKED_HEAD = `HTTP/1.1 200 OK\r\n${TEXT}\r\nTransfer-Encoding: chunked\r\n\r\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Text that does not get much smaller, different for each seed. */
function noise(bytes: number, seed: number): string {
  let state = seed + 1;
  const letters = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    letters[at] = 0x20 + ((state >>> 16) % 0x5f);
  }
  return letters.toString('latin1');
}

/** Sends the request and takes it at the upstream. */
async function begin({ client, upstream }: WireContext, request = get()): Promise<UpstreamConnection> {
  await client.send(request);
  const connection = await upstream.accept();
  await connection.expectHead();
  return connection;
}

/** The first coded piece is here: the gateway waits for more of its upstream. */
async function expectPart({ inbox }: WireClient): Promise<void> {
  await inbox.until('a part of the body', () => {
    const headEnd = inbox.bytes.indexOf('\r\n\r\n');
    return (headEnd !== -1 && inbox.length > headEnd + 4) || undefined;
  });
  await settle();
}

/** Nothing is left of any coding: neither its place nor what it holds. */
async function assertNothingLeft(): Promise<void> {
  await eventually(
    'all coded bodies to be let go',
    () => CodedBody.open === 0,
    () => `${CodedBody.open} are open`,
  );
}

// --- pieces come out as they come in -----------------------------------------------------------------------------------

/** What a client gets of a chunked reply, decoded as it comes. */
class DecodingReader {
  readonly #client: WireClient;
  readonly #stream: Transform;
  text = '';

  constructor(client: WireClient, stream: Transform) {
    this.#client = client;
    this.#stream = stream;
    stream.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1');
    });
  }

  /** Takes chunks until this is all that has come out of them. */
  async expectText(text: string): Promise<void> {
    while (this.text.length < text.length) {
      const size = Number.parseInt(await this.#client.inbox.takeThrough('\r\n', 'a chunk'), 16);
      const bytes = await this.#client.inbox.take(size + 2, 'the bytes of a chunk');
      await new Promise<void>((resolve) => this.#stream.write(bytes.subarray(0, size), () => resolve()));
      await settle(1);
    }
    assert.equal(this.text, text);
  }
}

for (const { coding, createStream } of DECODERS) {
  wire(`${coding}: events come one by one while the upstream keeps the stream open`, compressing(), async (context) => {
    const { client } = context;
    const connection = await begin(context, get(coding));
    await connection.send(CHUNKED_HEAD.replace('text/plain', 'text/event-stream'));
    const head = await client.expectReplyHead();
    assert.equal(head.fields.get('content-encoding'), coding);
    const reader = new DecodingReader(client, createStream());
    let all = '';
    for (let number = 0; number < 20; number++) {
      const event = `id: ${number}\ndata: ${'x'.repeat(number * 10)}\n\n`;
      all += event;
      await connection.send(chunk(event));
      await reader.expectText(all);
    }
    await connection.send('0\r\n\r\n');
    await client.inbox.until('the end', () => client.inbox.bytes.toString('latin1').endsWith('0\r\n\r\n') || undefined);
    await assertNothingLeft();
  });

  wire(`${coding}: a slow reply of a known length comes as it comes`, compressing(), async (context) => {
    const { client } = context;
    const connection = await begin(context, get(coding));
    await connection.send(`HTTP/1.1 200 OK\r\n${TEXT}\r\nContent-Length: 4000\r\n\r\nfirst`);
    await client.expectReplyHead();
    const reader = new DecodingReader(client, createStream());
    await reader.expectText('first');
    await connection.send('second');
    await reader.expectText('firstsecond');
  });
}

// --- memory is bounded -------------------------------------------------------------------------------------------------

for (const { coding } of DECODERS) {
  wire(`${coding}: a client that does not read stops the upstream`, compressing(), async (context) => {
    const { client } = context;
    const part = Buffer.from(noise(65_536, 7), 'latin1');
    const total = 256 * MIB;
    client.pause();
    const connection = await begin(context, get(coding));
    await connection.send(`HTTP/1.1 200 OK\r\n${TEXT}\r\nContent-Length: ${total}\r\n\r\n`);
    const before = bufferBytes();
    // Brotli and zstd see that it is the same again: what they make of it hardly fills a socket.
    const taken = await connection.sendUntilStalled(part, coding === 'gzip' ? total : 48 * MIB);
    if (coding === 'gzip') assert.ok(taken < 64 * MIB, `${taken} bytes went into a reader that does not read`);
    const held = bufferBytes() - before;
    assert.ok(held < 4 * MIB, `${held} bytes are held in memory`);
    client.reset();
    await connection.expectClosedAfter();
    await assertNothingLeft();
  });
}

wire('ten megabytes reach a reader that rests again and again, byte for byte', compressing(), async (context) => {
  const { client } = context;
  const body = Array.from({ length: 160 }, (_none, at) => noise(65_536, at)).join('');
  const connection = await begin(context);
  const sending = connection.send(ok(body, TEXT));
  const resting = setInterval(() => {
    client.pause();
    setTimeout(() => client.resume(), 2);
  }, 5);
  const reply = await client.expectReply({ status: 200 });
  clearInterval(resting);
  client.resume();
  await sending;
  assert.ok(decoded('gzip', reply.body) === body, 'the bytes are others');
});

wire('a body that gets no smaller is held back by its client like any other', compressing(), async (context) => {
  const { client } = context;
  const connection = await begin(context, get('zstd'));
  client.pause();
  await connection.send(CHUNKED_HEAD);
  const before = bufferBytes();
  let seed = 0;
  const left = () => connection.socket.bytesWritten - connection.socket.writableLength;
  for (let quiet = 0; quiet < 300 && left() < 64 * MIB; quiet++) {
    while (connection.socket.writableLength === 0) {
      connection.socket.write(chunk(noise(60_000, seed++)), 'latin1');
      quiet = 0;
    }
    await settle(1);
  }
  assert.ok(left() < 40 * MIB, `${left()} bytes went into a reader that does not read`);
  const held = bufferBytes() - before;
  assert.ok(held < 4 * MIB, `${held} bytes are held in memory`);
  assert.equal(CodedBody.open, 1);
});

// --- endings -----------------------------------------------------------------------------------------------------------

/** How far a reply has come when something happens to it. */
const STAGES = [
  { stage: 'after the head', sent: CHUNKED_HEAD },
  { stage: 'within its first piece', sent: `${CHUNKED_HEAD}${chunk(noise(30_000, 1)).slice(0, 20_000)}` },
  { stage: 'behind a piece', sent: CHUNKED_HEAD + chunk(noise(30_000, 1)) },
  {
    stage: 'behind many pieces',
    sent: CHUNKED_HEAD + Array.from({ length: 20 }, (_n, at) => chunk(noise(30_000, at))).join(''),
  },
];

for (const { coding } of DECODERS) {
  for (const { stage, sent } of STAGES) {
    for (const ending of ['end', 'reset'] as const) {
      wire(
        `${coding}: a reply that its upstream leaves ${stage} never looks complete (${ending})`,
        compressing(),
        async (context) => {
          const { client } = context;
          const connection = await begin(context, get(coding));
          await connection.send(sent);
          await client.inbox.until('the head', () => client.inbox.bytes.includes('\r\n\r\n') || undefined);
          connection[ending]();
          await client.expectTruncatedReply(200);
          await assertNothingLeft();
        },
      );
    }

    wire(`${coding}: a client that leaves ${stage} takes everything with it`, compressing(), async (context) => {
      const { client } = context;
      const connection = await begin(context, get(coding));
      await connection.send(sent);
      await client.inbox.until('the head', () => client.inbox.bytes.includes('\r\n\r\n') || undefined);
      client.reset();
      await connection.expectClosedAfter();
      await assertNothingLeft();
    });
  }

  wire(`${coding}: an HTTP/1.0 client cannot take a cut reply for a whole one`, compressing(), async (context) => {
    const { client } = context;
    const connection = await begin(context, get(coding, '1.0'));
    await connection.send(CHUNKED_HEAD + chunk(noise(30_000, 1)));
    await client.inbox.until('a part', () => client.inbox.length > 2000 || undefined);
    connection.reset();
    await client.expectTruncatedReply(200);
  });
}

wire('the deadline of a route cuts a coded reply', compressing({ timeout: '2s' }), async (context) => {
  const { client, clock } = context;
  const connection = await begin(context);
  await connection.send(CHUNKED_HEAD + chunk('some'));
  await expectPart(client);
  await clock.advance(3000);
  await client.expectTruncatedReply(200);
  await connection.expectClosedAfter();
  await assertNothingLeft();
});

wire(
  'an upstream that falls silent cuts a coded reply',
  compressing({}, { upstream: { read_timeout: '2s' } }),
  async (context) => {
    const { client, clock } = context;
    const connection = await begin(context);
    await connection.send(CHUNKED_HEAD + chunk('some'));
    await expectPart(client);
    await clock.advance(3000);
    await client.expectTruncatedReply(200);
  },
);

wire('a thousand replies that are left in the middle leave nothing behind', compressing(), async (context) => {
  const { client: first, upstream } = context;
  const leave = async (client: WireClient, coding: string, at: number): Promise<void> => {
    await client.send(get(coding));
    const connection = await upstream.accept();
    await connection.expectHead();
    connection.socket.write(CHUNKED_HEAD + chunk(noise(20_000 + at, at)), 'latin1');
    await client.inbox.until('the head', () => client.inbox.bytes.includes('\r\n\r\n') || undefined);
    if (at % 2 === 0) client.reset();
    else connection.reset();
    await connection.expectClosedAfter();
    // What came is not kept here, or it would be measured too.
    await client.expectClosedAfter();
    client.reset();
  };
  const rounds = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 10) {
      await Promise.all(
        Array.from({ length: 10 }, async (_none, more) => {
          await leave(await first.connect(), DECODERS[(at + more) % 3]?.coding ?? '', at + more);
        }),
      );
    }
    await assertNothingLeft();
    await settle();
  };
  await rounds(300);
  const before = process.memoryUsage.rss();
  const buffersBefore = bufferBytes();
  await rounds(700);
  const grown = process.memoryUsage.rss() - before;
  const buffersGrown = bufferBytes() - buffersBefore;
  // 700 pieces of 20 KB and what came of them: 25 MB.
  assert.ok(buffersGrown < 12 * MIB, `${buffersGrown} bytes of buffers`);
  // Each of the 700 held half a megabyte: 350 MiB together.
  assert.ok(grown < 100 * MIB, `${grown} bytes`);
});

wire('more bodies than a worker codes at a time go as they are', compressing(), async (context) => {
  const { client: first, upstream } = context;
  const open = CodedBody.open;
  CodedBody.open = 512;
  try {
    const connection = await begin(context);
    await connection.send(ok('x'.repeat(3000), TEXT));
    const reply = await first.expectReply({ status: 200, framing: 'length', headers: { 'content-encoding': null } });
    assert.deepEqual([reply.fields.get('vary'), reply.body.length], ['Accept-Encoding', 3000]);
    CodedBody.open = 511;
    await first.send(get());
    await connection.expectHead();
    await connection.send(ok('x'.repeat(3000), TEXT));
    await first.expectReply({ status: 200, headers: { 'content-encoding': 'gzip' } });
    assert.equal(upstream.connectionCount, 1);
  } finally {
    CodedBody.open = open;
  }
});

wire('the connection to the upstream is free again before its coded reply is out', compressing(), async (context) => {
  const { client, upstream } = context;
  const connection = await begin(context);
  await connection.send(ok(noise(60_000, 3), TEXT));
  const { body } = await client.expectReply({ status: 200 });
  assert.equal(decoded('gzip', body), noise(60_000, 3));
  await client.send(get());
  await connection.expectHead();
  await connection.send(ok(noise(2000, 4), TEXT));
  assert.equal(decoded('gzip', (await client.expectReply({ status: 200 })).body), noise(2000, 4));
  upstream.expectConnections(1);
});
