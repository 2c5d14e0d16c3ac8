import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileAccessLine, MAX_LINE_BYTES } from '../../src/telemetry/access-line.ts';
import { recordWith } from './record.ts';

/** Any bytes, one character each; often those that mean something. */
const bytes = fc
  .array(fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...Buffer.from('"\\\r\n?&=#@:/;%\0\x1b'))), { maxLength: 80 })
  .map((codes) => String.fromCharCode(...codes));

const record = fc
  .record({
    ...{ method: bytes, target: bytes, host: bytes, route: bytes, backend: bytes, upstream: bytes },
    ...{ userAgent: fc.option(bytes), referer: fc.option(bytes) },
    ...{ status: fc.nat(999), sentBytes: fc.nat(), receivedBytes: fc.nat(), attempts: fc.nat(9) },
    ...{ endedMs: fc.double({ min: 0, max: 4e12, noNaN: true }), upstreamStatus: fc.nat(999) },
    ...{ durationMs: fc.double({ min: -1, max: 1e9, noNaN: true }) },
    error: fc.constantFrom('', 'not_found'),
  })
  .map(recordWith);

const query = fc.constantFrom('none' as const, 'masked' as const, 'full' as const);

test('whatever a client sends, a line is printable ASCII that ends where it should, and JSON parses', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), query, (records, policy) => {
      const json = compileAccessLine({ format: 'json', query: policy });
      const combined = compileAccessLine({ format: 'combined', query: policy });
      for (const each of records) {
        const line = json(each);
        assert.match(line, /^[\x20-\x7e]+\n$/);
        const fields = JSON.parse(line) as Record<string, unknown>;
        assert.equal(fields['status'], each.status);
        if (each.userAgent !== null) assert.equal(fields['user_agent'], each.userAgent);
        assert.match(combined(each), /^192\.0\.2\.7 - - \[[^\]]+\] "[^"\n]*" \d+ \d+ "[^"\n]*" "[^"\n]*"\n$/);
        assert.ok(line.length <= MAX_LINE_BYTES);
      }
    }),
  );
});

test('without a query policy that lets it through, no value of a query is in a line', () => {
  fc.assert(
    fc.property(bytes, fc.constantFrom('/a', 'http://h/a', '//h/a', 'h:1', ''), (noise, start) => {
      const target = `${start}${noise.replaceAll('?', '')}?${noise}=hunter2`;
      for (const format of ['json', 'combined'] as const) {
        const line = compileAccessLine({ format, query: 'none' })(recordWith({ target, referer: target }));
        assert.ok(!line.includes('hunter2'), line);
      }
    }),
  );
});
