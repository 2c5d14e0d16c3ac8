import type { AccessRecord } from '../../src/telemetry/access-record.ts';

/** A request that was answered by an upstream. */
const RECORD: AccessRecord = {
  endedMs: Date.UTC(2026, 0, 31, 12, 30, 1, 7),
  durationMs: 12.3456,
  requestId: '8f3a1c0d5e7b9a246bd9e1c2',
  clientAddress: '192.0.2.7',
  scheme: 'https',
  method: 'GET',
  target: '/shop/items?page=2&api_key=hunter2',
  host: 'www.example.com',
  versionMinor: 1,
  status: 200,
  sentBytes: 64,
  receivedBytes: 0,
  route: 'shop',
  backend: 'web',
  consumer: '',
  upstream: '127.0.0.1:3000',
  upstreamStatus: 200,
  upstreamMs: 11,
  attempts: 1,
  error: '',
  userAgent: 'curl/8.5.0',
  referer: 'https://www.example.com/start?session=hunter2',
};

export function recordWith(changes: Partial<AccessRecord> = {}): AccessRecord {
  return { ...RECORD, ...changes };
}
