import { ok } from '../../support/upstream.ts';
import { type WireContext, wire } from '../../support/wire.ts';

const withHeaders = (headers: object) => ({
  middleware: { headers },
  routes: [{ path: '/x', middleware: ['headers'], retries: 0 }],
});

async function expectReply({ client, upstream }: WireContext, sent: string[], headers: Record<string, string | null>) {
  await client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send(ok('yes', ...sent));
  await client.expectReply({ status: 200, headers });
}

const PRESET = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'content-security-policy': null,
};

wire('the preset tells browsers to be careful', withHeaders({ preset: 'security' }), (context) =>
  expectReply(context, [], PRESET),
);

wire('what the upstream has set itself stays, and stands there once', withHeaders({}), (context) =>
  expectReply(context, ['X-Frame-Options: DENY'], { ...PRESET, 'x-frame-options': 'DENY' }),
);

wire(
  'without the preset only what is asked for is added',
  withHeaders({ preset: 'none', content_security_policy: "default-src 'self'" }),
  (context) =>
    expectReply(context, [], {
      ...{ 'x-content-type-options': null, 'x-frame-options': null, 'referrer-policy': null },
      'strict-transport-security': null,
      'content-security-policy': "default-src 'self'",
    }),
);

wire(
  'Strict-Transport-Security goes over TLS only (RFC 6797 7.2)',
  { ...withHeaders({ hsts: { max_age: '1h', include_subdomains: false, preload: true } }), secure: false },
  (context) => expectReply(context, [], { 'strict-transport-security': null }),
);

wire(
  'Strict-Transport-Security goes over TLS as configured',
  { ...withHeaders({ hsts: { max_age: '1h', include_subdomains: false, preload: true } }), secure: true },
  (context) => expectReply(context, [], { 'strict-transport-security': 'max-age=3600; preload' }),
);

wire('replies of the gateway carry them too', withHeaders({}), async ({ client, upstream }) => {
  await client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.reset();
  await client.expectReply({ status: 502, headers: PRESET });
});
