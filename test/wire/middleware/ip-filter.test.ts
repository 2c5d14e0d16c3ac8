import { ok } from '../../support/upstream.ts';
import { type WireContext, wire } from '../../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n';

const filtered = (ip_filter: object, server: Readonly<Record<string, unknown>> = {}) => ({
  middleware: { ip_filter },
  routes: [{ middleware: ['ip_filter'] }],
  server,
});

async function expectRefused({ client, upstream }: WireContext, lines = ''): Promise<void> {
  await client.send(`${GET}${lines}\r\n`);
  await client.expectStatus(403);
  upstream.expectNoConnection();
}

async function expectPassed({ client, upstream }: WireContext, lines = ''): Promise<void> {
  await client.send(`${GET}${lines}\r\n`);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
}

wire('an address that is denied gets 403 and nothing goes upstream', filtered({ deny: ['127.0.0.0/8'] }), (context) =>
  expectRefused(context),
);

wire('an address that is not among those allowed gets 403', filtered({ allow: ['10.0.0.0/8', '::1'] }), (context) =>
  expectRefused(context),
);

wire('an address that is allowed passes', filtered({ allow: ['127.0.0.1'] }), (context) => expectPassed(context));

wire(
  'an address that is allowed and denied is denied',
  filtered({ allow: ['127.0.0.0/8'], deny: ['127.0.0.1'] }),
  (context) => expectRefused(context),
);

wire(
  'an address that is not denied passes where nobody has to be allowed',
  filtered({ deny: ['10.0.0.0/8'] }),
  (context) => expectPassed(context),
);

wire('what anybody writes into X-Forwarded-For does not count', filtered({ allow: ['10.0.0.0/8'] }), (context) =>
  expectRefused(context, 'X-Forwarded-For: 10.0.0.1\r\n'),
);

wire(
  'behind a trusted proxy the client that it names is the one that counts',
  filtered({ allow: ['10.0.0.0/8'] }, { trusted_proxies: ['127.0.0.1'] }),
  (context) => expectPassed(context, 'X-Forwarded-For: 10.0.0.1\r\n'),
);

wire(
  'a list for all routes is passed by every one of them, and an entry of the route takes the place of the one of its name',
  {
    middleware: { ip_filter: { deny: ['127.0.0.1'] } },
    server: { middleware: ['ip_filter'] },
    routes: [{ path: '/closed' }, { path: '/open', middleware: [{ ip_filter: { deny: ['10.0.0.0/8'] } }] }],
  },
  async ({ client, upstream }) => {
    await client.send('GET /open HTTP/1.1\r\nHost: a\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send(ok('yes'));
    await client.expectStatus(200);
    await client.send('GET /closed HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.expectStatus(403);
  },
);
