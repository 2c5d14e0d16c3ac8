import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { REQUEST_ID_PLACEHOLDER } from '../../src/explain/dry-run.ts';
import { Explainer } from '../../src/explain/explainer.ts';
import type { Explanation } from '../../src/explain/explanation.ts';
import { type Inquiry, parseInquiry } from '../../src/explain/inquiry.ts';
import { configOf, type Gateway, startGateway } from '../support/gateway.ts';
import { guarded } from '../support/guard.ts';
import { Random } from '../support/random.ts';
import { SEED } from '../support/seed.ts';
import { makeRandomInquiry, makeRandomRoutes } from './random-inquiries.ts';

/*
 * What `explain` says against what happens: random requests go through both, over random routes. Every route has a backend
 * of its own, so that the one that was taken is seen, and so is every byte of the head that was sent to it.
 */

const ROUTES = 40;
const REQUESTS = 500;
const secure = process.env['PHOTON_WIRE_TLS'] === '1';

/** What became of a request, in the words that both sides have. */
interface Outcome {
  readonly status: number | null;
  readonly code: string | null;
  readonly allow: string | null;
  readonly route: string | null;
  readonly head: readonly string[] | null;
}

/** A server that answers every request at once, and keeps the head of the last one. */
class Origin {
  readonly #server: Server = createServer((socket) => this.#serve(socket));
  readonly id: string;
  readonly #sockets = new Set<Socket>();
  lastHead: string | null = null;

  constructor(id: string) {
    this.id = id;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    assert.ok(address !== null && typeof address === 'object');
    return address.port;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      if (!/^\S+ \S+ HTTP\/1\.1\r\n/.test(text)) return;
      this.lastHead = text.slice(0, text.indexOf('\r\n\r\n'));
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Sends a request as it is, on a connection of its own, and reads the reply up to the end of the connection. */
async function send({ port }: Gateway, { method, target, fields }: Inquiry): Promise<string> {
  const carrier = connect({ host: '127.0.0.1', port });
  const socket = secure ? connectTls({ socket: carrier, rejectUnauthorized: false }) : carrier;
  let reply = '';
  socket.on('data', (bytes: Buffer) => {
    reply += bytes.toString('latin1');
    if (reply.includes('\r\n\r\n')) socket.end();
  });
  socket.on('error', () => socket.destroy());
  const body = /^content-length: *(\d+)$/im.exec(fields.join('\n'))?.[1] ?? '0';
  socket.write(`${method} ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${'x'.repeat(Number(body))}`, 'latin1');
  await guarded('a reply', once(carrier, 'close'), () => JSON.stringify(reply));
  return reply;
}

async function live(gateway: Gateway, origins: readonly Origin[], inquiry: Inquiry): Promise<Outcome> {
  for (const origin of origins) origin.lastHead = null;
  const reply = await send(gateway, inquiry);
  const reached = origins.filter(({ lastHead }) => lastHead !== null);
  assert.ok(reached.length <= 1, 'one request reached two upstreams');
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  const [origin] = reached;
  if (origin !== undefined) {
    return { status: null, code: null, allow: null, route: origin.id, head: origin.lastHead?.split('\r\n') ?? [] };
  }
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(reply)?.[1]),
    code: codeIn(inquiry.method, /"type":"urn:photon:error:(\w+)"/.exec(body)?.[1] ?? null),
    allow: /^Allow: (.*)$/m.exec(head)?.[1]?.trim() ?? null,
    route: null,
    head: null,
  };
}

function explained({ result, route, sent }: Explanation, method: string): Outcome {
  if (result.kind !== 'answered') {
    return { status: null, code: null, allow: null, route: route?.id ?? null, head: sent?.head ?? [] };
  }
  const allow = result.fields.find((line) => line.startsWith('Allow: '))?.slice('Allow: '.length) ?? null;
  return { status: result.status, code: codeIn(method, result.code), allow, route: null, head: null };
}

/** A reply to HEAD has no body that would tell the code, unless the method was never read. */
function codeIn(method: string, code: string | null): string | null {
  return method === 'HEAD' ? null : code;
}

/** Request ids differ from request to request, and ports of connections from connection to connection. */
function comparable(outcome: Outcome): Outcome {
  const head = outcome.head?.map((line) =>
    /^X-Request-ID: [0-9a-f]{24}$/.test(line) ? `X-Request-ID: ${REQUEST_ID_PLACEHOLDER}` : line,
  );
  return { ...outcome, head: head ?? null };
}

for (const trustedProxies of [[], ['127.0.0.1', '10.0.0.0/8']]) {
  test(`${REQUESTS / 2} random requests fare as explain says, trusted proxies: ${trustedProxies.join() || 'none'} (PHOTON_FUZZ_SEED=${SEED})`, async () => {
    const random = new Random(SEED + trustedProxies.length);
    const routes = makeRandomRoutes(random, ROUTES);
    const origins = routes.map(({ id }) => new Origin(id));
    const ports = await Promise.all(origins.map((origin) => origin.listen()));
    const settings = {
      upstreamPorts: [1],
      otherBackends: Object.fromEntries(origins.map(({ id }, index) => [id, ports[index] as number])),
      routes: routes.map((route) => ({ ...route, backend: route.id })),
      server: { trusted_proxies: trustedProxies, max_headers: 20, max_target: 300, max_header_size: 2000 },
      secure,
    };
    const gateway = await startGateway(settings);
    const address = `127.0.0.1:${gateway.port}`;
    after(() => {
      gateway.plane.close();
      for (const origin of origins) origin.close();
    });
    const own = secure ? { https_addr: address, tls_cert: 'a', tls_key: 'b' } : { http_addr: address };
    const explainer = new Explainer(configOf({ ...settings, server: { ...settings.server, ...own } }));

    const seen = { forwarded: 0, routes: new Set<string>(), statuses: new Set<number>() };
    for (let count = 0; count < REQUESTS / 2; count++) {
      const inquiry = inquiryFor(random, gateway);
      const said = explained(explainer.explain(inquiry), inquiry.method);
      const happened = comparable(await live(gateway, origins, inquiry));
      assert.deepEqual(said, happened, `request ${count}: ${JSON.stringify(inquiry)}`);
      if (happened.route !== null) seen.routes.add(happened.route);
      if (happened.status === null) seen.forwarded++;
      else seen.statuses.add(happened.status);
    }
    assert.ok(seen.forwarded > 20 && seen.routes.size > 3, `${seen.forwarded} forwarded, ${seen.routes.size} routes`);
    for (const status of [400, 404, 405]) assert.ok(seen.statuses.has(status), `no ${status} among the replies`);
  });
}

/** Where a command line could say it, it goes the way of a command line. */
function inquiryFor(random: Random, { port, scheme }: Gateway): Inquiry {
  const inquiry: Inquiry = { ...makeRandomInquiry(random), scheme, port, from: '127.0.0.1' };
  const { method, target, fields: headers, from } = inquiry;
  if (!target.startsWith('/') || target.includes('#')) return inquiry;
  const parsed = parseInquiry({ method, url: `${scheme}://127.0.0.1:${port}${target}`, headers, from });
  assert.deepEqual(parsed, inquiry, 'what is said on a command line is what is sent');
  return parsed;
}
