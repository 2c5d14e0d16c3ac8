import { headersOf, requestText } from './workload.ts';

/** The messages of the benchmark case `proxy-small`, as bytes: what a browser sends and what a small API answers. */

/** With these fields more. */
export function requestBytes(fields: Readonly<Record<string, string>>): Buffer {
  const headers = headersOf({ method: 'GET', paths: [], body: null, replyBytes: 0, replySha256: null, fields });
  return Buffer.from(requestText('/api/v1/users/42?page=1', headers), 'latin1');
}

export const BROWSER_REQUEST: Buffer = requestBytes({});

export const SMALL_REPLY: Buffer = Buffer.from(
  `HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Tue, 24 Nov 2026 00:10:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 64\r\nConnection: keep-alive\r\n\r\n${'x'.repeat(64)}`,
  'latin1',
);
