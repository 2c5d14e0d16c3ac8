/** What a line of the access log costs a worker: to write it down, and to put it into the block that is handed over. */
import { bench, do_not_optimize, run } from 'mitata';
import { FIELD } from '../../src/http/field-names.ts';
import { RequestHead } from '../../src/http/request-head.ts';
import { RequestIdGenerator } from '../../src/http/request-id.ts';
import { AccessBlocks } from '../../src/telemetry/access-blocks.ts';
import { AccessBuffer } from '../../src/telemetry/access-buffer.ts';
import { type AccessLine, compileAccessLine } from '../../src/telemetry/access-line.ts';
import type { AccessRecord } from '../../src/telemetry/access-record.ts';
import { decodeRequestHead } from '../../src/wire/h1/request-decoder.ts';
import { BROWSER_REQUEST } from '../sample-messages.ts';

const CLIENTS = 64;
const head = new RequestHead(100);
const bytes = BROWSER_REQUEST;
decodeRequestHead(bytes, 0, bytes.length, head, { maxHeadBytes: 32_768, maxTargetBytes: 8192 });
const ids = new RequestIdGenerator();

/** Its texts are cut out of the head for every line, as the gateway does. */
class SampleRecord implements AccessRecord {
  endedMs = 1_769_862_601_000;
  readonly durationMs = 1.234;
  requestId = '';
  clientAddress = '';
  readonly scheme = 'http';
  readonly method = 'GET';
  readonly target: string = head.target;
  readonly host = 'api.example.com';
  readonly versionMinor = 1;
  readonly status = 200;
  readonly sentBytes = 64;
  readonly receivedBytes = 0;
  readonly route = '/**';
  readonly backend = 'origin';
  readonly consumer = '';
  readonly upstream = '127.0.0.1:8081';
  readonly upstreamStatus = 200;
  readonly upstreamMs = 1.012;
  readonly attempts = 1;
  readonly error = '';
  userAgent: string | null = null;
  referer: string | null = null;
}

const record = new SampleRecord();
const addresses = Array.from({ length: CLIENTS }, (_, client) => `10.0.0.${client}`);
let next = 0;

function fill(): AccessRecord {
  next = (next + 1) & (CLIENTS - 1);
  record.endedMs += 0.02;
  record.requestId = ids.next();
  record.clientAddress = addresses[next] as string;
  record.userAgent = head.value(head.find(FIELD.USER_AGENT));
  record.referer = head.value(head.find(FIELD.REFERER));
  return record;
}

/** The control thread takes everything at once. */
const blocks = new AccessBlocks(AccessBlocks.allocate());
const buffer = new AccessBuffer(blocks, {
  handOver: (block) => blocks.free(block),
  dropped: (lines) => {
    throw new Error(`${lines} lines were dropped`);
  },
});

function benchLine(name: string, line: AccessLine): void {
  bench(name, () => buffer.add(line(fill())));
}

bench('the values of a record', () => do_not_optimize(fill()));
benchLine('a JSON line', compileAccessLine({ format: 'json', query: 'none' }));
benchLine('a JSON line with its query masked', compileAccessLine({ format: 'json', query: 'masked' }));
benchLine('a combined line', compileAccessLine({ format: 'combined', query: 'none' }));

await run();
