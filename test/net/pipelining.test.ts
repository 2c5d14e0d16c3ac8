import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAMING } from '../../src/http/framing.ts';
import { RequestHead } from '../../src/http/request-head.ts';
import { WRITE_HIGH_WATER_BYTES } from '../../src/net/connection.ts';
import type { DownstreamService } from '../../src/net/downstream-service.ts';
import { H1Downstream } from '../../src/net/h1-downstream.ts';
import type { DownstreamStream, RequestListener } from '../../src/net/streams.ts';
import { fieldListOf } from '../support/field-list.ts';
import { MemoryConnection, MemoryNet } from './memory-connection.ts';

const LIMITS = {
  maxHeadBytes: 32_768,
  maxTargetBytes: 8192,
  connectionTimeoutMs: 30_000,
  keepaliveTimeoutMs: 75_000,
  bodyTimeoutMs: 30_000,
  sendTimeoutMs: 30_000,
};
const REPLY_BYTES = 4096;

/** Answers every request at once. */
class Answering implements RequestListener {
  readonly request = new RequestHead(10);
  answered = 0;

  requestBegun(downstream: DownstreamStream): void {
    this.answered++;
    const head = {
      status: 200,
      source: null,
      drops: null,
      additions: fieldListOf(),
      framing: FRAMING.LENGTH,
      contentLength: REPLY_BYTES,
    };
    downstream.sendHead(head, false);
    downstream.sendText('x'.repeat(REPLY_BYTES));
    downstream.sendEnd();
  }

  requestRefused(): void {
    assert.fail('every request is valid');
  }

  requestData(): void {}
  requestTrailers(): void {}
  requestEnded(): void {}
  requestFailed(): void {}
  clientHalfClosed(): void {}
  responseWritable(): void {}
}

test('a client that pipelines and reads no reply is answered up to the high-water mark, and no further', () => {
  const net = new MemoryNet();
  const connection = new MemoryConnection(net);
  const listener = new Answering();
  const service: DownstreamService = {
    limits: LIMITS,
    draining: false,
    takeListener: () => listener,
    returnListener: () => {},
    connectionClosed: () => {},
  };
  const downstream = new H1Downstream(net.io, service);
  connection.receiver = downstream;
  downstream.open(connection);
  connection.peerTakes = false;
  connection.sends('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000));
  assert.ok(connection.written.length < WRITE_HIGH_WATER_BYTES + 2 * REPLY_BYTES, `${connection.written.length} bytes`);
  assert.ok(listener.answered < 20);
});
