import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PhotonError } from '../../src/base/errors.ts';
import { errorHead } from '../../src/pipeline/error-response.ts';
import { fakeScene } from '../contract/fake-streams.ts';
import type { Lines } from '../contract/scene.ts';

const JSON_TYPE = 'application/problem+json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

async function replyTo(method: string, target: string, fields: Lines) {
  const { client, settle } = fakeScene();
  client.begin(method, target, fields, 'none');
  await settle();
  return client.replies[0] ?? assert.fail('no reply');
}

describe('a reply made by the gateway', () => {
  test('is a problem in JSON with everything that there is to know (RFC 9457)', async () => {
    const reply = await replyTo('GET', '/missing', {});
    assert.equal(reply.fields['content-type'], JSON_TYPE);
    assert.deepEqual(JSON.parse(reply.body), {
      type: 'urn:photon:error:not_found',
      title: 'No route',
      status: 404,
      detail: 'No route matches this host and path.',
      request_id: reply.fields['x-request-id'],
    });
    assert.equal(reply.fields['content-length'], String(reply.body.length));
    assert.equal(reply.fields['via'], '1.1 photon');
    assert.match(reply.fields['date'] ?? '', / GMT$/);
  });

  test('is text for a client that does not take JSON, with the same to know', async () => {
    const reply = await replyTo('GET', '/missing', { Accept: 'text/html' });
    assert.equal(reply.fields['content-type'], TEXT_TYPE);
    assert.equal(
      reply.body,
      `404 Not Found\nNo route: No route matches this host and path.\nrequest_id: ${reply.fields['x-request-id']}\n`,
    );
    assert.equal(reply.fields['content-length'], String(reply.body.length));
  });

  test('tells of each failure what is its own, whatever failed before', () => {
    for (const { code, detail, status } of [
      { code: 'not_found', detail: 'Here.', status: 404 },
      { code: 'not_found', detail: 'There.', status: 404 },
      { code: 'rate_limited', detail: 'There.', status: 429 },
      { code: 'not_found', detail: 'Here.', status: 404 },
    ] as const) {
      const problem = JSON.parse(written(new PhotonError(code, detail), '*/*').body) as Record<string, unknown>;
      const { type, request_id } = problem;
      assert.deepEqual([type, request_id], [`urn:photon:error:${code}`, 'the-id']);
      assert.deepEqual([problem['status'], problem['detail']], [status, detail]);
    }
  });

  for (const { accept, type, why } of [
    { accept: '*/*', type: JSON_TYPE, why: 'anything' },
    { accept: 'application/json', type: JSON_TYPE, why: 'JSON' },
    { accept: 'application/problem+json', type: JSON_TYPE, why: 'problems' },
    { accept: 'application/*', type: JSON_TYPE, why: 'any application type' },
    { accept: 'Application/JSON', type: JSON_TYPE, why: 'types have no case' },
    { accept: 'application/json; charset=utf-8', type: JSON_TYPE, why: 'parameters do not matter' },
    { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', type: JSON_TYPE, why: 'a browser takes anything' },
    { accept: 'text/html , application/json;q=0.001', type: JSON_TYPE, why: 'the least weight is one' },
    { accept: 'text/html', type: TEXT_TYPE, why: 'HTML only' },
    { accept: 'text/*, image/png', type: TEXT_TYPE, why: 'no application type' },
    { accept: 'application/json;q=0', type: TEXT_TYPE, why: 'a weight of 0 means not this' },
    { accept: 'application/json; Q=0.000, text/html', type: TEXT_TYPE, why: 'however the 0 is written' },
    { accept: '*/*;q=0', type: TEXT_TYPE, why: 'nothing at all' },
    { accept: 'application/jsonx', type: TEXT_TYPE, why: 'a name that begins alike' },
    { accept: 'xapplication/json', type: TEXT_TYPE, why: 'a name that ends alike' },
    { accept: 'application/xml;q=1;x=application/json', type: TEXT_TYPE, why: 'a name in a parameter' },
  ]) {
    test(`is ${type === JSON_TYPE ? 'JSON' : 'text'} for Accept: ${accept} (${why})`, async () => {
      assert.equal((await replyTo('GET', '/missing', { Accept: accept })).fields['content-type'], type);
    });
  }

  test('to HEAD has the head that GET would get, and no body', async () => {
    const toGet = await replyTo('GET', '/missing', {});
    const toHead = await replyTo('HEAD', '/missing', {});
    assert.equal(toHead.body, '');
    const besidesId = ({ fields }: { readonly fields: Lines }) => ({ ...fields, 'x-request-id': '' });
    assert.deepEqual(besidesId(toHead), besidesId(toGet));
  });

  test('says which methods a path takes', async () => {
    assert.equal((await replyTo('DELETE', '/only-get', {})).fields['allow'], 'GET, HEAD');
    assert.match((await replyTo('TRACE', '/to/x', {})).fields['allow'] ?? '', /^GET, HEAD, POST/);
  });

  test('says nothing of the upstream but that it failed', async () => {
    const { client, upstream, settle } = fakeScene();
    client.begin('GET', '/to/x', {}, 'none');
    await settle();
    upstream().fail();
    await settle();
    assert.doesNotMatch(
      `${client.replies[0]?.body} ${JSON.stringify(client.replies[0]?.fields)}`,
      /192\.0\.2|:80\b|origin/,
    );
  });

  test('is ASCII, and its JSON says what was said, whatever that was', () => {
    for (const accept of ['*/*', 'text/html']) {
      const detail = 'caf\xe9 \u{1f600} "\\\r\n\0 </script>';
      const { body, length } = written(new PhotonError('bad_target', detail), accept);
      assert.match(body, /^[\n\x20-\x7e]+$/);
      assert.equal(length, body.length);
      if (accept === '*/*') assert.equal((JSON.parse(body) as { detail: string }).detail, detail);
    }
  });
});

/** What is written for a failure, and the length that its head tells. */
function written(error: PhotonError, accept: string) {
  const exchange = fakeScene().log.newExchange();
  exchange.request.text = `accept=${accept};`;
  exchange.request.count = 1;
  exchange.request.index.set([0, 6, 7, 7 + accept.length, 15]);
  exchange.id = 'the-id';
  const body = errorHead(exchange, error);
  return { body, length: exchange.reply.contentLength };
}
