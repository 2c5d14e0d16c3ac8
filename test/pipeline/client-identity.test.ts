import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IpRanges } from '../../src/base/ip-range.ts';
import type { DownstreamPeer, DownstreamStream } from '../../src/net/streams.ts';
import { settleClient } from '../../src/pipeline/client-identity.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { decodeRequestHead } from '../../src/wire/h1/request-decoder.ts';
import { fakeScene } from '../contract/fake-streams.ts';
import type { Lines } from '../contract/scene.ts';
import { LIMITS } from '../wire/h1/decode.ts';

const PEER = '192.0.2.7';

/** An exchange of a client at `address` that sent these `X-Forwarded-For` fields, with its client settled. */
function settled(address: string, chain: readonly string[], trusted: readonly string[]): Exchange {
  const { log } = fakeScene();
  const exchange = log.newExchange();
  const lines = chain.map((value) => `X-Forwarded-For: ${value}\r\n`).join('');
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`, 'latin1');
  decodeRequestHead(bytes, 0, bytes.length, exchange.request, LIMITS);
  const peer: DownstreamPeer = {
    address,
    port: 1,
    localAddress: '192.0.2.1',
    localPort: 2,
    scheme: 'http',
    certificateSubject: null,
    identity: null,
    privateConnections: null,
  };
  // Sound: settling the client looks at nothing but the peer.
  exchange.downstream = { peer } as DownstreamStream;
  settleClient(exchange, { ...log.generation, trustedProxies: new IpRanges(trusted) });
  return exchange;
}

describe('the client', () => {
  const trusted = ['10.0.0.0/8', 'fd00::/8'];
  for (const { peer, chain, client, why } of [
    { peer: '203.0.113.9', chain: [], client: '203.0.113.9', why: 'a peer that is no proxy of ours is the client' },
    { peer: '203.0.113.9', chain: ['1.2.3.4'], client: '203.0.113.9', why: 'whatever it claims' },
    { peer: '203.0.113.9', chain: ['10.0.0.1'], client: '203.0.113.9', why: 'even if it claims to be one of ours' },
    { peer: '10.0.0.1', chain: [], client: '10.0.0.1', why: 'a proxy of ours without a chain speaks for itself' },
    { peer: '10.0.0.1', chain: ['1.2.3.4'], client: '1.2.3.4', why: 'one hop' },
    {
      peer: '10.0.0.1',
      chain: ['6.6.6.6, 1.2.3.4'],
      client: '1.2.3.4',
      why: 'what the client claimed itself stands left of it',
    },
    { peer: '10.0.0.1', chain: ['1.2.3.4, 10.0.0.2,10.0.0.3'], client: '1.2.3.4', why: 'several proxies of ours' },
    {
      peer: '10.0.0.1',
      chain: ['6.6.6.6', '1.2.3.4', '10.0.0.2'],
      client: '1.2.3.4',
      why: 'fields are one list (RFC 9110 5.3)',
    },
    { peer: '10.0.0.1', chain: ['10.0.0.9, 10.0.0.8'], client: '10.0.0.9', why: 'all are ours: the first one' },
    {
      peer: '10.0.0.1',
      chain: ['10.6.6.6, 1.2.3.4'],
      client: '1.2.3.4',
      why: 'ours again beyond one that is not: forged',
    },
    { peer: '10.0.0.1', chain: [' \t1.2.3.4\t '], client: '1.2.3.4', why: 'blanks around it' },
    { peer: '10.0.0.1', chain: ['1.2.3.4:56789'], client: '1.2.3.4', why: 'some proxies write the port too' },
    { peer: '10.0.0.1', chain: ['[2001:db8::1]:443'], client: '2001:db8::1', why: 'and IPv6 in brackets' },
    { peer: '10.0.0.1', chain: ['unknown'], client: '10.0.0.1', why: 'what is no address says nothing' },
    { peer: '10.0.0.1', chain: ['1.2.3.4, <b>, 10.0.0.2'], client: '10.0.0.2', why: 'nor does what stands left of it' },
    { peer: '10.0.0.1', chain: [''], client: '10.0.0.1', why: 'an empty element' },
    { peer: '10.0.0.1', chain: ['10.1'], client: '10.0.0.1', why: 'a short form that only C libraries read' },
    { peer: 'fd00::1', chain: ['2001:db8::1'], client: '2001:db8::1', why: 'IPv6' },
    { peer: '10.0.0.1', chain: ['2001:DB8:0:0::1'], client: '2001:db8::1', why: 'in its one usual form' },
    { peer: '10.0.0.1', chain: ['::ffff:1.2.3.4'], client: '1.2.3.4', why: 'IPv4 in the guise of IPv6' },
    { peer: 'unix:', chain: ['1.2.3.4'], client: 'unix:', why: 'a Unix socket is trusted only by its own rule' },
  ]) {
    test(`behind ${peer} with ${JSON.stringify(chain)} is ${client}: ${why}`, () => {
      const exchange = settled(peer, chain, trusted);
      assert.equal(exchange.clientAddress, client);
      assert.equal(exchange.peerTrusted, peer.startsWith('10.') || peer.startsWith('fd'));
    });
  }

  test('is looked up once per connection and generation', () => {
    let asked = 0;
    class CountedRanges extends IpRanges {
      override includes(text: string): boolean {
        asked++;
        return super.includes(text);
      }
    }
    const exchange = settled(PEER, [], []);
    const generation = { ...exchange.services.generation, trustedProxies: new CountedRanges([]) };
    for (let turn = 0; turn < 5; turn++) settleClient(exchange, generation);
    assert.equal(asked, 1);
    settleClient(exchange, { ...generation, trustedProxies: new CountedRanges([PEER]) });
    assert.ok(exchange.peerTrusted);
  });
});

/** The fields that an upstream gets. */
async function passedOn(fields: Lines, trusted: readonly string[], target = '/to/x'): Promise<Lines> {
  const { client, upstream, settle } = fakeScene({ server: { trusted_proxies: trusted } });
  client.begin('GET', target, fields, 'none');
  await settle();
  return upstream().request.fields;
}

describe('what an upstream is told of the client', () => {
  const claims = {
    'X-Forwarded-For': '1.2.3.4, 5.6.7.8',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'shop.example',
    'X-Forwarded-Port': '443',
    'X-Request-ID': 'from-the-edge',
    Forwarded: 'for=1.2.3.4',
  };

  test('comes from its connection, not from its claims', async () => {
    const fields = await passedOn(claims, []);
    assert.equal(fields['x-forwarded-for'], PEER);
    assert.equal(fields['x-forwarded-proto'], 'http');
    assert.equal(fields['x-forwarded-host'], 'host.example');
    assert.equal(fields['x-forwarded-port'], '8080');
    assert.match(fields['x-request-id'] ?? '', /^[0-9a-f]{24}$/);
    assert.equal(fields['forwarded'], undefined);
    assert.equal(fields['via'], '1.1 photon');
  });

  test('goes on what a trusted proxy said', async () => {
    const fields = await passedOn(claims, ['192.0.2.0/24']);
    assert.equal(fields['x-forwarded-for'], `1.2.3.4, 5.6.7.8, ${PEER}`);
    assert.equal(fields['x-forwarded-proto'], 'https');
    assert.equal(fields['x-forwarded-host'], 'shop.example');
    assert.equal(fields['x-forwarded-port'], '443');
    assert.equal(fields['x-request-id'], 'from-the-edge');
    assert.equal(fields['forwarded'], undefined);
  });

  test('is our own where a trusted proxy said nothing', async () => {
    const fields = await passedOn({}, ['192.0.2.7']);
    assert.deepEqual(
      ['for', 'proto', 'host', 'port'].map((name) => fields[`x-forwarded-${name}`]),
      [PEER, 'http', 'host.example', '8080'],
    );
    assert.match(fields['x-request-id'] ?? '', /^[0-9a-f]{24}$/);
  });

  test('has an id of ours where a trusted proxy’s is not sane', async () => {
    for (const id of ['a b', '', 'x'.repeat(129), 'caf\xe9']) {
      const fields = await passedOn({ 'X-Request-ID': id }, [PEER]);
      assert.match(fields['x-request-id'] ?? '', /^[0-9a-f]{24}$/);
    }
  });

  test('has the host that the target names where it names one', async () => {
    const fields = await passedOn({}, [], 'http://other.example/to/x');
    assert.deepEqual([fields['host'], fields['x-forwarded-host']], ['other.example', 'other.example']);
  });

  test('follows the host from request to request on one connection', async () => {
    const { client, upstream, settle } = fakeScene();
    for (const host of ['a.example', 'a.example', 'b.example', 'a.example']) {
      client.begin('GET', `http://${host}/to/x`, {}, 'none');
      await settle();
      assert.equal(upstream().request.fields['x-forwarded-host'], host);
      upstream().begin(204, {}, 'none');
      await settle();
    }
  });
});
