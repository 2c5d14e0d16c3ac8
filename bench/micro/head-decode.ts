/** Heads from bytes and back: what a browser's request and a small reply cost to decode and to write anew. */
import { bench, do_not_optimize, run, summary } from 'mitata';
import { FieldGroup } from '../../src/base/field-group.ts';
import { FieldList } from '../../src/http/field-list.ts';
import type { OutgoingRequest, OutgoingResponse } from '../../src/http/outgoing.ts';
import { RequestHead } from '../../src/http/request-head.ts';
import { ResponseHead } from '../../src/http/response-head.ts';
import { encodeRequestHead, encodeResponseHead } from '../../src/wire/h1/head-encoder.ts';
import { decodeRequestHead } from '../../src/wire/h1/request-decoder.ts';
import { decodeResponseHead } from '../../src/wire/h1/response-decoder.ts';
import { BROWSER_REQUEST, SMALL_REPLY } from '../sample-messages.ts';

const LIMITS = { maxHeadBytes: 32 * 1024, maxTargetBytes: 8 * 1024 };
const FORWARDED = new FieldGroup([['X-Forwarded-For', '192.0.2.7']]);
const TRACE = new FieldGroup([['Via', '1.1 photon']], 'X-Request-ID');
const ADDITIONS = new FieldList();
ADDITIONS.addGroup(FORWARDED);
ADDITIONS.addGroup(TRACE, '0123456789abcdef01234567');
const DELIVERY = { chunked: false, connection: '' } as const;

const small = Buffer.from('GET / HTTP/1.1\r\nHost: api.example.com\r\nAccept: */*\r\n\r\n', 'latin1');
const request = new RequestHead(100);
const response = new ResponseHead(100);
const sink = Buffer.alloc(64 * 1024);

const outgoingRequest: OutgoingRequest = {
  method: 'GET',
  outgoingTarget: '/api/v1/users/42?x=1',
  outgoingAuthority: '127.0.0.1:8080',
  request,
  requestDrops: null,
  requestAdditions: ADDITIONS,
  editedByMiddleware: false,
};

/** As the pipeline fills it for `SMALL_REPLY`. */
function outgoingResponse(): OutgoingResponse {
  const { status, framing, contentLength } = response;
  return { status, source: response, drops: null, additions: ADDITIONS, framing, contentLength };
}

function decodeRequest(bytes: Buffer): number {
  request.clear();
  return decodeRequestHead(bytes, 0, bytes.length, request, LIMITS);
}

const decodeResponse = () =>
  decodeResponseHead(SMALL_REPLY, 0, SMALL_REPLY.length, response, LIMITS.maxHeadBytes, false);

bench(`decode a request head of ${small.length} bytes`, () => do_not_optimize(decodeRequest(small)));

summary(() => {
  bench(`decode a browser's request head of ${BROWSER_REQUEST.length} bytes`, () =>
    do_not_optimize(decodeRequest(BROWSER_REQUEST)),
  );
  bench('decode it, and write it anew', () => {
    decodeRequest(BROWSER_REQUEST);
    do_not_optimize(sink.write(encodeRequestHead(outgoingRequest), 'latin1'));
  });
});

summary(() => {
  bench('decode the head of a small reply', () => do_not_optimize(decodeResponse()));
  bench('decode it, and write it anew', () => {
    decodeResponse();
    do_not_optimize(sink.write(encodeResponseHead(outgoingResponse(), DELIVERY), 'latin1'));
  });
});

await run();
