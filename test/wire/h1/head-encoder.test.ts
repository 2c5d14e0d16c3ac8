import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FieldDrops } from '../../../src/http/field-drops.ts';
import { FRAMING } from '../../../src/http/framing.ts';
import type { OutgoingResponse } from '../../../src/http/outgoing.ts';
import { encodeInformationalHead, encodeRequestHead, encodeResponseHead } from '../../../src/wire/h1/head-encoder.ts';
import { fieldListOf } from '../../support/field-list.ts';
import { outgoingRequest, requestHead, responseHead } from './heads.ts';

const HOP_BY_HOP = [
  'Connection: keep-alive',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQAAP__',
  'Proxy-Authorization: Basic eDp5',
  'Proxy-Authenticate: Basic',
];

const encodeRequest = (text: string, additions = '') =>
  encodeRequestHead(outgoingRequest(requestHead(text), additions));

describe('the head of a request to an upstream', () => {
  test('begins with our own request line and Host, and ends with our own framing', () => {
    const head = encodeRequest(
      'POST /in HTTP/1.1\r\nHost: in\r\nA: 1\r\nContent-Length: 12\r\nB: 2\r\n\r\n',
      'Via: x\r\n',
    );
    assert.equal(head, 'POST /out?q HTTP/1.1\r\nHost: out\r\nA: 1\r\nB: 2\r\nVia: x\r\nContent-Length: 12\r\n\r\n');
  });

  test('says chunked where the request was', () => {
    const head = encodeRequest('PUT / HTTP/1.1\r\nHost: in\r\ntransfer-encoding: CHUNKED\r\n\r\n');
    assert.equal(head, 'PUT /out?q HTTP/1.1\r\nHost: out\r\nTransfer-Encoding: chunked\r\n\r\n');
  });

  for (const { method, length } of [
    { method: 'POST', length: 'Content-Length: 0\r\n' },
    { method: 'PUT', length: 'Content-Length: 0\r\n' },
    { method: 'PATCH', length: 'Content-Length: 0\r\n' },
    { method: 'GET', length: '' },
    { method: 'HEAD', length: '' },
    { method: 'DELETE', length: '' },
    { method: 'OPTIONS', length: '' },
  ]) {
    test(`without a body says ${length === '' ? 'nothing of a length' : 'that its length is 0'} for ${method}`, () => {
      for (const given of ['', 'Content-Length: 0\r\n']) {
        const head = encodeRequest(`${method} / HTTP/1.1\r\nHost: in\r\n${given}\r\n`);
        assert.equal(head, `${method} /out?q HTTP/1.1\r\nHost: out\r\n${length}\r\n`);
      }
    });
  }

  test('is HTTP/1.1 whatever the client speaks', () => {
    assert.match(encodeRequest('GET / HTTP/1.0\r\n\r\n'), /^GET \/out\?q HTTP\/1\.1\r\nHost: out\r\n\r\n$/);
  });

  test('has none of the fields for one hop, in any case', () => {
    for (const line of [...HOP_BY_HOP, ...HOP_BY_HOP.map((each) => each.toUpperCase())]) {
      const head = encodeRequest(`GET / HTTP/1.1\r\nHost: in\r\nA: 1\r\n${line}\r\nB: 2\r\n\r\n`);
      assert.equal(head, 'GET /out?q HTTP/1.1\r\nHost: out\r\nA: 1\r\nB: 2\r\n\r\n', line);
    }
  });

  test('has nothing of what a client claims about the way it came', () => {
    const claims = [
      'X-Forwarded-For',
      'x-forwarded-proto',
      'X-FORWARDED-HOST',
      'X-Forwarded-Port',
      'Forwarded',
      'X-Request-Id',
    ];
    const lines = claims.map((name) => `${name}: x\r\n`).join('');
    assert.equal(
      encodeRequest(`GET / HTTP/1.1\r\nHost: in\r\n${lines}\r\n`),
      'GET /out?q HTTP/1.1\r\nHost: out\r\n\r\n',
    );
  });

  test('has none of the fields that Connection names, on any of its lines and in any case', () => {
    const head = encodeRequest(
      'GET / HTTP/1.1\r\nHost: in\r\nX-Secret: 1\r\nConnection: x-SECRET ,close\r\nCookie: a\r\nConnection:,\tX-Other\r\nx-other: 2\r\nX-Secret: 3\r\nX-Secrets: 4\r\n\r\n',
    );
    assert.equal(head, 'GET /out?q HTTP/1.1\r\nHost: out\r\nCookie: a\r\nX-Secrets: 4\r\n\r\n');
  });

  test('has the fields that Connection names with a no-break space, which is no blank', () => {
    const head = encodeRequest('GET / HTTP/1.1\r\nHost: in\r\nConnection: \xa0cookie\r\nCookie: a\r\n\r\n');
    assert.equal(head, 'GET /out?q HTTP/1.1\r\nHost: out\r\nCookie: a\r\n\r\n');
  });

  test('keeps its own Host, framing and additions whatever Connection names', () => {
    const head = encodeRequest(
      'POST / HTTP/1.1\r\nHost: in\r\nConnection: host, content-length, via, x-request-id\r\nContent-Length: 3\r\nVia: a\r\n\r\n',
      'Via: x\r\nX-Request-ID: 1\r\n',
    );
    assert.equal(head, 'POST /out?q HTTP/1.1\r\nHost: out\r\nVia: x\r\nX-Request-ID: 1\r\nContent-Length: 3\r\n\r\n');
  });

  test('has a Host whatever does not pass', () => {
    const outgoing = outgoingRequest(requestHead('GET /out?q HTTP/1.1\r\nHost: out\r\nA: 1\r\n\r\n'), '');
    const requestDrops = new FieldDrops(['Host', 'A']);
    assert.equal(encodeRequestHead({ ...outgoing, requestDrops }), 'GET /out?q HTTP/1.1\r\nHost: out\r\n\r\n');
  });

  test('has one blank after each colon and none before the line end, whatever the client wrote', () => {
    const odd = ['A:1', 'B:  2', 'C:\t3', 'D: 4 ', 'E: 5\t', 'F:', 'G: ', 'H: \t \t', 'I: 6 \t 7'];
    const head = encodeRequest(`GET / HTTP/1.1\r\nHost: in\r\n${odd.join('\r\n')}\r\n\r\n`);
    const canonical = ['A: 1', 'B: 2', 'C: 3', 'D: 4', 'E: 5', 'F: ', 'G: ', 'H: ', 'I: 6 \t 7'];
    assert.equal(head, `GET /out?q HTTP/1.1\r\nHost: out\r\n${canonical.join('\r\n')}\r\n\r\n`);
  });

  test('is the same whichever fields stand beside each other: every order of passing, odd and dropped ones', () => {
    const kinds = ['A: 1', 'B:2', 'C: 3 ', 'Keep-Alive: x'];
    for (let pattern = 0; pattern < 4 ** 4; pattern++) {
      const lines = Array.from({ length: 4 }, (_none, place) => kinds[(pattern >> (2 * place)) & 3] as string);
      const want = lines.filter((line) => line !== 'Keep-Alive: x').map((line) => line.replace(/:\s*/, ': ').trimEnd());
      const head = encodeRequest(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\nHost: in\r\n\r\n`);
      assert.equal(head, `${['GET /out?q HTTP/1.1', 'Host: out', ...want].join('\r\n')}\r\n\r\n`);
    }
  });

  test('keeps an empty line before the request out of it', () => {
    assert.equal(
      encodeRequest('\r\nGET / HTTP/1.1\r\nHost: in\r\nA: 1\r\n\r\n'),
      'GET /out?q HTTP/1.1\r\nHost: out\r\nA: 1\r\n\r\n',
    );
  });
});

const answer = (source: OutgoingResponse['source'], more: Partial<OutgoingResponse> = {}): OutgoingResponse => ({
  status: source?.status ?? 200,
  source,
  drops: null,
  additions: fieldListOf(),
  framing: source?.framing ?? FRAMING.NONE,
  contentLength: source?.contentLength ?? -1,
  ...more,
});

const plainly = { chunked: false, connection: '' } as const;

describe('the head of a reply to a client', () => {
  test('has the upstream reply’s reason and fields, our additions, framing and Connection', () => {
    const source = responseHead('HTTP/1.0 404 Nix  da \r\nA:1\r\nContent-Length: 5\r\nServer: x\r\n\r\n');
    assert.equal(
      encodeResponseHead(answer(source, { additions: fieldListOf('Via: y\r\n') }), {
        chunked: false,
        connection: 'close',
      }),
      'HTTP/1.1 404 Nix  da \r\nA: 1\r\nServer: x\r\nVia: y\r\nContent-Length: 5\r\nConnection: close\r\n\r\n',
    );
  });

  test('says chunked instead of a length where it is sent in chunks', () => {
    const source = responseHead('HTTP/1.1 200 OK\r\nA: 1\r\n\r\n');
    assert.equal(
      encodeResponseHead(answer(source), { chunked: true, connection: '' }),
      'HTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
  });

  test('has none of the fields for one hop, nor a request id but ours', () => {
    for (const line of [...HOP_BY_HOP, 'X-Request-ID: theirs']) {
      const source = responseHead(`HTTP/1.1 200 OK\r\n${line}\r\nA: 1\r\nContent-Length: 1\r\n\r\n`);
      assert.equal(encodeResponseHead(answer(source), plainly), 'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 1\r\n\r\n');
    }
  });

  test('has none of the fields that Connection names', () => {
    const source = responseHead(
      'HTTP/1.1 200 OK\r\nX-Internal: 1\r\nConnection: X-INTERNAL\r\nA: 1\r\nContent-Length: 1\r\n\r\n',
    );
    assert.equal(encodeResponseHead(answer(source), plainly), 'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 1\r\n\r\n');
  });

  test('has a length of 0, but none for 204 (RFC 9110 8.6)', () => {
    assert.equal(
      encodeResponseHead(answer(responseHead('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')), plainly),
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    );
    assert.equal(
      encodeResponseHead(answer(responseHead('HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n')), plainly),
      'HTTP/1.1 204 X\r\n\r\n',
    );
    assert.equal(
      encodeResponseHead(answer(responseHead('HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n')), plainly),
      'HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n',
    );
  });

  test('of our own has the standard reason', () => {
    assert.equal(
      encodeResponseHead(answer(null, { status: 503, contentLength: 2, additions: fieldListOf('A: 1\r\n') }), plainly),
      'HTTP/1.1 503 Service Unavailable\r\nA: 1\r\nContent-Length: 2\r\n\r\n',
    );
    assert.equal(encodeResponseHead(answer(null, { status: 299 }), plainly), 'HTTP/1.1 299 \r\n\r\n');
  });

  test('says keep-alive to a client that needs to be told', () => {
    assert.match(
      encodeResponseHead(answer(null), { chunked: false, connection: 'keep-alive' }),
      /\r\nConnection: keep-alive\r\n\r\n$/,
    );
  });
});

test('an interim reply passes with its fields and without any framing', () => {
  const source = responseHead('HTTP/1.1 103 Early Hints\r\nLink:</a>\r\nContent-Length: 5\r\nKeep-Alive: x\r\n\r\n');
  assert.equal(encodeInformationalHead(source), 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
});
