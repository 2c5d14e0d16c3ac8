import assert from 'node:assert/strict';
import { Transform } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { type BodyCoding, codeBody } from '../../src/pipeline/body-coding.ts';
import { CodedBody } from '../../src/pipeline/coded-body.ts';
import type { Middleware } from '../../src/pipeline/middleware.ts';
import { fakeScene } from '../contract/fake-streams.ts';
import type { BodyKind, Lines, Scene, SeenReply } from '../contract/scene.ts';
import { settle } from '../support/guard.ts';

/** A coding in the hands of the test: pieces come out in brackets, when the test says so. */
class ManualCoding implements BodyCoding {
  /** What came in, and what has to be called for it to come out; the end has none of its own. */
  readonly #due: (() => void)[] = [];
  readonly pieces: string[] = [];
  streams = 0;
  stream: Transform | null = null;

  whole(bytes: Buffer): Buffer {
    return Buffer.from(`<${bytes.toString('latin1')}>`, 'latin1');
  }

  createStream(): Transform {
    this.streams++;
    const { pieces } = this;
    const due = this.#due;
    this.stream = new Transform({
      transform(bytes: Buffer, _encoding, callback) {
        pieces.push(bytes.toString('latin1'));
        due.push(() => callback(null, Buffer.from(`[${bytes.toString('latin1')}]`, 'latin1')));
      },
      flush(callback) {
        callback(null, Buffer.from('.', 'latin1'));
      },
    });
    return this.stream;
  }

  /** Lets the piece that is being coded come out. */
  async letOut(): Promise<void> {
    const due = this.#due.shift() ?? assert.fail('nothing is being coded');
    due();
    await settle();
  }

  get busy(): boolean {
    return this.#due.length > 0;
  }
}

interface Stage {
  readonly scene: Scene;
  readonly coding: ManualCoding;
  reply(): SeenReply;
}

/** A request has reached the upstream, and whatever it replies is coded. */
async function begin(context: TestContext, method = 'GET', body: BodyKind = 'none'): Promise<Stage> {
  const coding = new ManualCoding();
  const middleware: Middleware = {
    name: 'code',
    stage: 'compress',
    onResponse: (exchange) => codeBody(exchange, coding),
  };
  const scene = fakeScene({ middleware: [middleware] });
  context.after(() => {
    assert.deepEqual(scene.faults, []);
    assert.equal(CodedBody.open, 0, 'none is left open');
    assert.ok(coding.stream === null || coding.stream.destroyed, 'the coder is let go');
    assert.equal(scene.log.endings.length, scene.log.taken, 'every exchange is finished once');
  });
  scene.client.begin(method, '/to/it', {}, body);
  await scene.settle();
  return { scene, coding, reply: () => scene.client.replies[0] ?? assert.fail('no reply') };
}

const LARGE = 'x'.repeat(16 * 1024 + 1);

test('a body that is here in one event is coded on the spot', async (context) => {
  for (const pieces of [[], ['hello'], ['hel', 'lo'], ['x'.repeat(16 * 1024)]]) {
    const { scene, coding, reply } = await begin(context);
    scene.upstream().begin(200, {}, { length: pieces.join('').length });
    for (const piece of pieces) scene.upstream().data(piece);
    scene.upstream().end();
    assert.deepEqual([reply().body, reply().ending], [`<${pieces.join('')}>`, 'complete']);
    assert.deepEqual([coding.streams, scene.log.endings], [0, [null]]);
    await settle();
  }
});

test('a large body goes through a stream, also when it is here at once', async (context) => {
  const { scene, coding, reply } = await begin(context);
  scene.upstream().begin(200, {}, { length: LARGE.length });
  scene.upstream().data(LARGE);
  scene.upstream().end();
  assert.deepEqual([reply().body, reply().ending], ['', 'open']);
  assert.deepEqual(scene.log.endings, []);
  await coding.letOut();
  assert.deepEqual([reply().body, reply().ending], [`[${LARGE}].`, 'complete']);
  assert.deepEqual(scene.log.endings, [null]);
});

test('pieces of one event are coded together, and what comes meanwhile after them', async (context) => {
  const { scene, coding, reply } = await begin(context);
  scene.upstream().begin(200, {}, 'chunked');
  for (const piece of ['a', 'b', 'c']) scene.upstream().data(piece);
  assert.equal(coding.busy, false);
  await settle();
  assert.deepEqual([coding.pieces, scene.upstream().heldBack], [['abc'], true]);
  scene.upstream().data('d');
  scene.upstream().data('e');
  await settle();
  assert.deepEqual(coding.pieces, ['abc'], 'one piece at a time');
  await coding.letOut();
  assert.deepEqual([reply().body, coding.pieces, scene.upstream().heldBack], ['[abc]', ['abc', 'de'], true]);
  await coding.letOut();
  assert.deepEqual([reply().body, scene.upstream().heldBack], ['[abc][de]', false]);
  scene.upstream().data('f');
  scene.upstream().end({ 'X-Sum': '1' });
  await coding.letOut();
  assert.deepEqual([reply().body, reply().ending], ['[abc][de][f].', 'complete']);
  assert.equal(reply().trailers['x-sum'], '1');
});

test('a client that does not keep up holds the coder back, and through it the upstream', async (context) => {
  const { scene, coding, reply } = await begin(context);
  scene.client.stopTaking();
  scene.upstream().begin(200, {}, 'chunked');
  scene.upstream().data('a');
  await settle();
  await coding.letOut();
  assert.deepEqual([reply().body, scene.upstream().heldBack], ['[a]', true]);
  scene.upstream().data('b');
  await settle();
  assert.deepEqual([coding.busy, scene.upstream().heldBack], [false, true]);
  scene.client.takeAll();
  await settle();
  assert.deepEqual([coding.pieces, scene.upstream().heldBack], [['a', 'b'], true]);
  await coding.letOut();
  assert.deepEqual([reply().body, scene.upstream().heldBack], ['[a][b]', false]);
  scene.client.vanish();
  assert.equal(scene.upstream().cancelled, true);
});

test('the end of a body waits for a client that does not keep up', async (context) => {
  const { scene, coding, reply } = await begin(context);
  scene.client.stopTaking();
  scene.upstream().begin(200, {}, 'chunked');
  scene.upstream().data('a');
  await settle();
  await coding.letOut();
  scene.upstream().data('b');
  scene.upstream().end();
  await settle();
  assert.deepEqual([coding.busy, reply().ending, scene.log.endings], [false, 'open', []]);
  scene.client.takeAll();
  await coding.letOut();
  assert.deepEqual([reply().body, reply().ending, scene.log.endings], ['[a][b].', 'complete', [null]]);
});

test('an end of its own completes the body', async (context) => {
  const { scene, coding, reply } = await begin(context);
  scene.upstream().begin(200, {}, 'chunked');
  scene.upstream().data('a');
  await settle();
  await coding.letOut();
  scene.upstream().end();
  await settle();
  assert.deepEqual([reply().body, reply().ending], ['[a].', 'complete']);
  assert.deepEqual(coding.pieces, ['a']);
});

/** A reply in the middle of its body: nothing is with the coder, or one piece is and another waits. */
const MIDDLES: readonly { readonly where: string; readonly go: (stage: Stage) => Promise<void> }[] = [
  { where: 'before its body', go: async () => {} },
  { where: 'before a piece is coded', go: async ({ scene }) => scene.upstream().data('a') },
  {
    where: 'while a piece is coded',
    go: async ({ scene }) => {
      scene.upstream().data('a');
      await settle();
      scene.upstream().data('b');
    },
  },
  {
    where: 'between two pieces',
    go: async ({ scene, coding }) => {
      scene.upstream().data('a');
      await settle();
      await coding.letOut();
    },
  },
];

const BREAKS: readonly { readonly what: string; readonly go: (scene: Scene) => void; readonly ending: string }[] = [
  { what: 'its upstream breaks off', go: (scene) => scene.upstream().fail(), ending: 'upstream_reset' },
  { what: 'its client is gone', go: (scene) => scene.client.vanish(), ending: 'client_closed' },
];

for (const { where, go: goThere } of MIDDLES) {
  for (const { what, go, ending } of BREAKS) {
    test(`a reply is cut ${where} when ${what}, and nothing more comes of it`, async (context) => {
      const stage = await begin(context);
      const { scene, coding, reply } = stage;
      scene.upstream().begin(200, {}, 'chunked');
      await goThere(stage);
      go(scene);
      assert.deepEqual([reply().ending, scene.log.endings, CodedBody.open], ['cut', [ending], 0]);
      const { body } = reply();
      while (coding.busy) await coding.letOut();
      await settle();
      assert.equal(reply().body, body);
    });
  }
}

test('a client that is gone while the end is coded ends the exchange once', async (context) => {
  const { scene, coding, reply } = await begin(context);
  scene.upstream().begin(200, {}, 'chunked');
  scene.upstream().data(LARGE);
  scene.upstream().end();
  assert.equal(coding.busy, true);
  scene.client.vanish();
  assert.deepEqual([reply().ending, scene.log.endings], ['cut', ['client_closed']]);
  await coding.letOut();
});

test('a deadline that passes while the end is coded cuts the reply', async (context) => {
  const coding = new ManualCoding();
  const middleware: Middleware = {
    name: 'code',
    stage: 'compress',
    onResponse: (exchange) => codeBody(exchange, coding),
  };
  const scene = fakeScene({ middleware: [middleware] });
  scene.client.begin('GET', '/deadline/it', {}, 'none');
  scene.upstream().begin(200, {}, 'chunked');
  scene.upstream().data(LARGE);
  scene.upstream().end();
  await scene.passMs(2000);
  assert.deepEqual([scene.client.replies[0]?.ending, scene.log.endings], ['cut', ['deadline_exceeded']]);
  assert.equal(CodedBody.open, 0);
  context.after(() => assert.deepEqual(scene.faults, []));
});

test('a coder that fails cuts the reply and is reported', async () => {
  for (const when of ['piece', 'end'] as const) {
    const coding = new ManualCoding();
    const onResponse: Middleware['onResponse'] = (exchange) => codeBody(exchange, coding);
    const scene = fakeScene({ middleware: [{ name: 'code', stage: 'compress', onResponse }] });
    scene.client.begin('GET', '/to/it', {}, 'none');
    scene.upstream().begin(200, {}, 'chunked');
    const upstream = scene.upstream();
    upstream.data(LARGE);
    if (when === 'end') upstream.end();
    await settle();
    coding.stream?.destroy(new Error('out of memory'));
    await settle();
    assert.deepEqual([scene.client.replies[0]?.ending, scene.log.endings], ['cut', ['internal_error']]);
    assert.match(String(scene.faults[0]), /out of memory/);
    assert.deepEqual([scene.faults.length, CodedBody.open, upstream.cancelled], [1, 0, when === 'piece']);
  }
});

test('a coder that cannot be made cuts the reply and is reported', async () => {
  class Broken extends ManualCoding {
    override createStream(): Transform {
      throw new Error('no memory');
    }
  }
  const onResponse: Middleware['onResponse'] = (exchange) => codeBody(exchange, new Broken());
  const scene = fakeScene({ middleware: [{ name: 'code', stage: 'compress', onResponse }] });
  scene.client.begin('GET', '/to/it', {}, 'none');
  scene.upstream().begin(200, {}, 'chunked');
  scene.upstream().data('a');
  await settle();
  assert.deepEqual([scene.client.replies[0]?.ending, scene.log.endings], ['cut', ['internal_error']]);
  assert.deepEqual([scene.faults.length, CodedBody.open], [1, 0]);
});

test('a body that cannot be coded on the spot cuts the reply and is reported', async () => {
  class Broken extends ManualCoding {
    override whole(): Buffer {
      throw new Error('no memory');
    }
  }
  const onResponse: Middleware['onResponse'] = (exchange) => codeBody(exchange, new Broken());
  const scene = fakeScene({ middleware: [{ name: 'code', stage: 'compress', onResponse }] });
  scene.client.begin('GET', '/to/it', {}, 'none');
  scene.upstream().begin(200, {}, 'chunked');
  scene.upstream().data('a');
  scene.upstream().end();
  assert.deepEqual([scene.client.replies[0]?.ending, scene.log.endings], ['cut', ['internal_error']]);
  assert.deepEqual([scene.faults.length, CodedBody.open], [1, 0]);
});

test('an error that takes the place of a reply is not in its coding', async () => {
  const chain: Middleware[] = [
    { name: 'fail', stage: 'compress', onResponse: () => assert.fail('on purpose') },
    { name: 'code', stage: 'compress', onResponse: (exchange) => codeBody(exchange, new ManualCoding()) },
  ];
  const scene = fakeScene({ middleware: chain });
  scene.client.begin('GET', '/to/it', {}, 'none');
  scene.upstream().begin(200, {}, 'chunked');
  const [reply] = scene.client.replies;
  assert.deepEqual([reply?.status, JSON.parse(reply?.body ?? '').status, reply?.ending], [500, 500, 'complete']);
  assert.deepEqual([scene.log.endings, CodedBody.open], [['middleware_failed'], 0]);
});

test('what a client still sends while its coded reply ends is held back, not kept', async (context) => {
  const { scene, coding, reply } = await begin(context, 'POST', 'chunked');
  scene.client.data('a');
  scene.upstream().begin(200, {}, 'chunked');
  scene.upstream().data(LARGE);
  assert.equal(scene.client.heldBack, false);
  scene.upstream().end();
  assert.equal(scene.client.heldBack, true);
  await coding.letOut();
  assert.equal(reply().ending, 'complete');
});

test('HEAD has no body to code', async (context) => {
  const { scene, coding, reply } = await begin(context, 'HEAD');
  scene.upstream().begin(200, { 'Content-Length': '10' } satisfies Lines, 'none');
  await settle();
  assert.deepEqual([reply().body, reply().ending, reply().fields['content-length']], ['', 'complete', undefined]);
  assert.equal(coding.streams, 0);
});
