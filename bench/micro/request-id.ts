/** What the id of a request costs: to make one, and to judge one that a trusted proxy sent. */
import { randomUUID } from 'node:crypto';
import { bench, do_not_optimize, run, summary } from 'mitata';
import { isSaneRequestId, RequestIdGenerator } from '../../src/http/request-id.ts';

const ids = new RequestIdGenerator();
const sink = Buffer.alloc(64);
const received = Array.from({ length: 64 }, () => randomUUID());
let next = 0;

summary(() => {
  bench('make an id', () => do_not_optimize(ids.next()));
  // An id is made of pieces that are only put together when it is written: this includes that.
  bench('make an id and write it', () => do_not_optimize(sink.write(ids.next(), 'latin1')));
  bench('randomUUID of node:crypto, for comparison', () => do_not_optimize(randomUUID()));
});

bench('judge an id of 36 characters', () => {
  next = (next + 1) & 63;
  do_not_optimize(isSaneRequestId(received[next] as string));
});

await run();
