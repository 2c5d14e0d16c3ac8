import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileAccessLine, MAX_LINE_BYTES } from '../../src/telemetry/access-line.ts';
import type { AccessRecord } from '../../src/telemetry/access-record.ts';
import type { QueryPolicy } from '../../src/telemetry/redact.ts';
import { recordWith } from './record.ts';

const json = (changes: Partial<AccessRecord> = {}, query: QueryPolicy = 'none') =>
  compileAccessLine({ format: 'json', query })(recordWith(changes));
const fields = (changes: Partial<AccessRecord> = {}, query: QueryPolicy = 'none') =>
  JSON.parse(json(changes, query)) as Record<string, unknown>;
const combined = (changes: Partial<AccessRecord> = {}, query: QueryPolicy = 'none') =>
  compileAccessLine({ format: 'combined', query })(recordWith(changes));

test('a JSON line has every field, in this order', () => {
  assert.equal(
    json({}, 'masked'),
    '{"time":"2026-01-31T12:30:01.007Z","request_id":"8f3a1c0d5e7b9a246bd9e1c2","client_ip":"192.0.2.7","scheme":"https",' +
      '"method":"GET","host":"www.example.com","path":"/shop/items","query":"page=2&api_key=***","protocol":"HTTP/1.1",' +
      '"status":200,"bytes_sent":64,"bytes_received":0,"duration_ms":12.346,"route":"shop","backend":"web",' +
      '"upstream":"127.0.0.1:3000","upstream_status":200,"attempts":1,"upstream_ms":11.000,"user_agent":"curl/8.5.0",' +
      '"referer":"https://www.example.com/start?session=***"}\n',
  );
});

test('the documentation names every field, and no other', () => {
  const document = readFileSync(new URL('../../docs/access-log.md', import.meta.url), 'utf8');
  const table = /\| field \| meaning \|\n([\s\S]*?)\n\n/.exec(document)?.[1] ?? '';
  const named = table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]));
  assert.deepEqual(
    named.toSorted(),
    Object.keys(fields({ error: 'upstream_reset', consumer: 'shop' }, 'masked')).toSorted(),
  );
});

test('a field without a value is left out', () => {
  const bare = { host: '', route: '', backend: '', upstream: '', upstreamStatus: 0, attempts: 0 };
  const line = fields({ ...bare, status: 404, error: 'not_found', userAgent: null, referer: null });
  assert.deepEqual(Object.keys(line), [
    ...['time', 'request_id', 'client_ip', 'scheme', 'method', 'path', 'protocol', 'status', 'bytes_sent'],
    ...['bytes_received', 'duration_ms', 'error'],
  ]);
});

test('a request that could not be read has no method, path and protocol', () => {
  const line = fields({ method: '', target: '', status: 400, error: 'malformed_message' });
  for (const absent of ['method', 'host', 'path', 'protocol']) assert.ok(!(absent in line), absent);
  assert.equal(line['status'], 400);
});

test('an upstream that said nothing has no status, but a time', () => {
  const {
    upstream_status: status,
    upstream_ms: ms,
    attempts,
  } = fields({ upstreamStatus: 0, attempts: 2, upstreamMs: 3 });
  assert.deepEqual([status, ms, attempts], [undefined, 3, 2]);
});

test('what a line says does not depend on the line before it', () => {
  const line = compileAccessLine({ format: 'json', query: 'none' });
  const variants: Partial<AccessRecord>[] = [
    ...[
      {},
      { host: 'b.example' },
      { method: 'POST' },
      { scheme: 'http' as const },
      { status: 404 },
      { versionMinor: 0 },
    ],
    ...[{ route: 'other' }, { upstream: 'b:1' }, { upstreamStatus: 304 }, { attempts: 2 }, { receivedBytes: 7 }],
    ...[{ userAgent: 'curl/8.5.1' }, { userAgent: null }, { userAgent: '' }, { upstream: '' }, { route: '' }],
    ...[{ endedMs: recordWith().endedMs + 1 }, { endedMs: recordWith().endedMs + 999.9 }, { endedMs: 0 }],
  ];
  for (const first of variants) {
    for (const second of variants) {
      line(recordWith(first));
      assert.equal(line(recordWith(second)), json(second));
    }
  }
});

test('the combined format is the one that Apache and nginx write', () => {
  assert.equal(
    combined(),
    '192.0.2.7 - - [31/Jan/2026:12:30:01 +0000] "GET /shop/items HTTP/1.1" 200 64 "https://www.example.com/start" "curl/8.5.0"\n',
  );
  assert.equal(
    combined({ method: '', userAgent: null, referer: null, status: 408, sentBytes: 120 }),
    '192.0.2.7 - - [31/Jan/2026:12:30:01 +0000] "-" 408 120 "-" "-"\n',
  );
});

const HOSTILE = [
  { text: 'a"b', json: 'a\\u0022b', combined: 'a\\x22b', why: 'a quote would end the field' },
  { text: 'a\\', json: 'a\\u005c', combined: 'a\\x5C', why: 'a backslash would take the closing quote along' },
  { text: 'a\r\nb', json: 'a\\u000d\\u000ab', combined: 'a\\x0D\\x0Ab', why: 'a line end would forge a line' },
  { text: '\x1b[2J', json: '\\u001b[2J', combined: '\\x1B[2J', why: 'an escape sequence would draw on a terminal' },
  { text: '\x9b2J', json: '\\u009b2J', combined: '\\x9B2J', why: 'so would its one-byte form' },
  { text: 'a\tb\x7f', json: 'a\\u0009b\\u007f', combined: 'a\\x09b\\x7F', why: 'what is not printable' },
  { text: 'caf\xc3\xa9', json: 'caf\\u00c3\\u00a9', combined: 'caf\\xC3\\xA9', why: 'bytes that are no ASCII' },
] as const;

for (const { text, json: inJson, combined: inCombined, why } of HOSTILE) {
  test(`${JSON.stringify(text)} is escaped: ${why}`, () => {
    assert.ok(json({ userAgent: text }).includes(`"user_agent":"${inJson}"`));
    assert.ok(combined({ userAgent: text }).endsWith(` "${inCombined}"\n`));
  });
}

test('long texts are cut, and no line is longer than the promise', () => {
  assert.equal(String(fields({ userAgent: 'a'.repeat(513) })['user_agent']), `${'a'.repeat(509)}...`);
  assert.equal(String(fields({ userAgent: 'a'.repeat(512) })['user_agent']), 'a'.repeat(512));
  const endless = '\0'.repeat(100_000);
  const worst: Partial<AccessRecord> = {
    ...{ requestId: 'x'.repeat(128), method: endless, target: `/${endless}?x=${endless}`, host: endless },
    ...{ route: endless, backend: endless, upstream: endless, userAgent: endless, referer: `/${endless}?x=${endless}` },
  };
  for (const line of [json(worst, 'full'), combined(worst, 'full')]) {
    assert.ok(line.length <= MAX_LINE_BYTES, `${line.length} bytes`);
  }
});
