import assert from 'node:assert/strict';
import type { Reply } from '../support/client.ts';
import { wire } from '../support/wire.ts';

const nowhere = { routes: [{ path: '/here' }] };
const get = (...lines: string[]) => `GET /nowhere HTTP/1.1\r\n${['Host: a.example', ...lines].join('\r\n')}\r\n\r\n`;

function assertProblem(reply: Reply, status: number): void {
  assert.equal(reply.fields.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(reply.body) as Record<string, unknown>;
  assert.equal(problem['status'], status);
  for (const member of ['type', 'title', 'detail', 'request_id']) {
    assert.equal(typeof problem[member], 'string', `${member} in ${reply.body}`);
    assert.notEqual(problem[member], '', member);
  }
  assert.equal(problem['request_id'], reply.fields.get('x-request-id'));
}

const ACCEPTING_JSON = [
  { accept: [], why: 'without Accept everything is acceptable' },
  { accept: ['Accept: */*'], why: 'what curl sends' },
  { accept: ['Accept: application/json'], why: 'JSON by its own name' },
  { accept: ['Accept: application/problem+json'], why: 'the very type' },
  { accept: ['Accept: application/*'], why: 'a range that holds it' },
  { accept: ['Accept: text/html, */*;q=0.1'], why: 'less liked, but accepted' },
  { accept: ['Accept: application/json;q=0.5, text/*'], why: 'JSON is named, whatever else is liked more' },
  { accept: ['Accept: application/json, application/*;q=0'], why: 'its own name says more than a range' },
  { accept: ['Accept: APPLICATION/JSON'], why: 'types are case-insensitive' },
];

for (const { accept, why } of ACCEPTING_JSON) {
  wire(`an error reply is problem+json for ${accept[0] ?? 'no Accept'}: ${why}`, nowhere, async ({ client }) => {
    await client.send(get(...accept));
    assertProblem(await client.expectReply({ status: 404, framing: 'length' }), 404);
  });
}

const NOT_ACCEPTING_JSON = [
  { accept: 'Accept: text/plain', why: 'plain text only' },
  { accept: 'Accept: text/html', why: 'nothing that we can make, text is the closest' },
  { accept: 'Accept: application/problem+json;q=0, */*', why: 'the very type is refused, whatever the range says' },
  { accept: 'Accept: application/*;q=0.0, */*', why: 'the narrower range refuses it' },
  { accept: 'Accept: image/*', why: 'a range without JSON' },
  { accept: 'Accept: text/plain, application/json;q=0, application/problem+json;q=0', why: 'JSON refused in words' },
];

for (const { accept, why } of NOT_ACCEPTING_JSON) {
  wire(`an error reply is plain text for ${accept}: ${why}`, nowhere, async ({ client }) => {
    await client.send(get(accept));
    const reply = await client.expectReply({
      status: 404,
      framing: 'length',
      headers: { 'content-type': /^text\/plain/ },
    });
    assert.match(reply.body, /\S/);
    assert.doesNotMatch(reply.body, /^\{/);
  });
}

wire('every reply of the gateway carries a request id of its own', nowhere, async ({ client }) => {
  const ids = new Set<string>();
  for (let round = 0; round < 50; round++) {
    await client.send(get());
    const { fields } = await client.expectStatus(404);
    ids.add(fields.get('x-request-id') ?? '');
  }
  assert.equal(ids.size, 50);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9._~+/=-]{8,128}$/);
});

wire('a refused message gets problem+json and a request id too', async ({ client }) => {
  await client.send('GET / HTTP/1.1\r\nHost: a b\r\n\r\n');
  assertProblem(await client.expectStatus(400), 400);
});

wire(
  'an Accept in a head that is too large to be read does not turn the refusal into plain text',
  async ({ client }) => {
    await client.send(get('Accept: application/json', `X-Long: ${'x'.repeat(40_000)}`));
    assertProblem(await client.expectReply({ status: 431, framing: 'length' }), 431);
  },
);

wire('an error reply to HEAD has the head of the one to GET and no body', nowhere, async ({ client }) => {
  await client.send(get());
  const toGet = await client.expectStatus(404);
  await client.send(get().replace('GET', 'HEAD'));
  const toHead = await client.expectReply({ status: 404, toHead: true });
  assert.equal(toHead.fields.get('content-type'), toGet.fields.get('content-type'));
  assert.match(toHead.fields.get('content-length') ?? '', /^[1-9][0-9]*$/);
  await client.send(get());
  await client.expectStatus(404);
});

wire('an error reply to an HTTP/1.0 client closes the connection', nowhere, async ({ client }) => {
  await client.send('GET /nowhere HTTP/1.0\r\n\r\n');
  assertProblem(await client.expectStatus(404), 404);
  await client.expectClosed();
});

wire(
  'an error reply repeats nothing of the request that could be taken for markup or a field',
  nowhere,
  async ({ client }) => {
    await client.send(
      'GET /nowhere%0d%0aSet-Cookie:%20a=b?<script> HTTP/1.1\r\nHost: a.example\r\nAccept: text/html\r\n\r\n',
    );
    const { body, fields } = await client.expectReply({ headers: { 'set-cookie': null } });
    assert.doesNotMatch(body, /<script>/);
    assert.doesNotMatch(fields.toString(), /script/);
  },
);
