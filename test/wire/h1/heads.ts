import assert from 'node:assert/strict';
import type { OutgoingRequest } from '../../../src/http/outgoing.ts';
import { RequestHead } from '../../../src/http/request-head.ts';
import { ResponseHead } from '../../../src/http/response-head.ts';
import { decodeRequestHead } from '../../../src/wire/h1/request-decoder.ts';
import { decodeResponseHead } from '../../../src/wire/h1/response-decoder.ts';
import { fieldListOf } from '../../support/field-list.ts';
import { LIMITS, MAX_FIELDS, toBytes } from './decode.ts';

/** The request head that `text` is; throws what the decoder throws. */
export function requestHead(text: string): RequestHead {
  const head = new RequestHead(MAX_FIELDS);
  assert.equal(decodeRequestHead(toBytes(text), 0, text.length, head, LIMITS), text.length);
  return head;
}

/** The reply head that `text` is; throws what the decoder throws. */
export function responseHead(text: string): ResponseHead {
  const head = new ResponseHead(MAX_FIELDS);
  assert.equal(decodeResponseHead(toBytes(text), 0, text.length, head, LIMITS.maxHeadBytes, false), text.length);
  return head;
}

/** A request on its way to `http://out/out?q`. */
export function outgoingRequest(request: RequestHead, requestAdditions = ''): OutgoingRequest {
  return {
    method: request.method,
    outgoingTarget: '/out?q',
    outgoingAuthority: 'out',
    request,
    requestDrops: null,
    requestAdditions: fieldListOf(requestAdditions),
    editedByMiddleware: requestAdditions !== '',
  };
}
