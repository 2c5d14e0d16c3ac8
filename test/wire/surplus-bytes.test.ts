import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const CLOSE = 'Connection: close\r\n';
const GET = 'GET /orders HTTP/1.1\r\nHost: orders.example\r\n\r\n';

/** Replies in one write with bytes behind their end: a persistent one and one that closes its connection. */
for (const { why, method = 'GET', status = 200, before, reply, body = 'hello' } of [
  { why: 'of a known length', before: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', reply: 'hello' },
  {
    why: 'in chunks',
    before: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n',
    reply: '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
  },
  {
    why: 'in chunks with trailers',
    before: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n',
    reply: '5\r\nhello\r\n0\r\nX-End: yes\r\n\r\n',
  },
  { why: 'of HTTP/1.0', before: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n', reply: 'hello' },
  { why: 'that is empty', before: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n', reply: '', body: '' },
  { why: 'to HEAD', method: 'HEAD', before: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', reply: '', body: '' },
  { why: 'without content', status: 204, before: 'HTTP/1.1 204 No Content\r\n', reply: '', body: '' },
  { why: 'that is not modified', status: 304, before: 'HTTP/1.1 304 Not Modified\r\n', reply: '', body: '' },
] as const) {
  for (const connection of ['', CLOSE]) {
    for (const surplus of ['\n', '\r\n', 'hello', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad']) {
      const closing = connection === '' ? '' : ' and closes its connection';
      wire(
        `a reply ${why}${closing} passes without the ${JSON.stringify(surplus)} behind it, and the client goes on`,
        async ({ client, upstream }) => {
          await client.send(`${method} /orders HTTP/1.1\r\nHost: orders.example\r\n\r\n`);
          const first = await upstream.accept();
          await first.expectRequest();
          await first.send(`${before}${connection}\r\n${reply}${surplus}`);
          await client.expectReply({ status, body, toHead: method === 'HEAD' });
          await first.expectClosed();
          await client.send(GET);
          const second = await upstream.accept();
          await second.expectRequest({ method: 'GET' });
          await second.send(ok('mine'));
          await client.expectReply({ status: 200, body: 'mine' });
        },
      );
    }
  }
}
